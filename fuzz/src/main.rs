//! libFuzzer's program: one for all targets, `WAHOOK_FUZZ_TARGET` says which. `cargo xtask fuzz` builds and runs it.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod fuzzer {
    use std::env;
    use std::process;
    use std::sync::LazyLock;

    use libfuzzer_sys::fuzz_target;
    use wahook_fuzz::Target;

    static TARGET: LazyLock<Target> = LazyLock::new(|| {
        let name = env::var("WAHOOK_FUZZ_TARGET").unwrap_or_default();
        Target::named(&name).unwrap_or_else(|| {
            eprintln!("WAHOOK_FUZZ_TARGET: there is no target `{name}`. Run it through `cargo xtask fuzz`");
            process::exit(2)
        })
    });

    fuzz_target!(|data: &[u8]| TARGET.run(data));
}

#[cfg(not(fuzzing))]
fn main() {
    eprintln!("This program was built without libFuzzer. Run `cargo xtask fuzz`");
    std::process::exit(2);
}
