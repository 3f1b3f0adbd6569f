//! What an ELF file says about where it runs: its processor, and whether it brings everything itself.

/// Where the fields are (the ELF-64 object file format, in the order of the processors we build for: little end first).
const MACHINE: usize = 18;
const HEADERS_OFFSET: usize = 32;
const HEADER_SIZE: usize = 54;
const HEADER_COUNT: usize = 56;
/// Fields of a program header.
const FILE_OFFSET: usize = 8;
const FILE_SIZE: usize = 32;
/// The program header that names the loader of a dynamically linked program.
const INTERPRETER: u32 = 3;

/// Why a program does not run in an empty image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Not a 64-bit, little-endian ELF file, or one that ends too early.
    #[error("it is no complete 64-bit ELF file")]
    NotElf,
    /// For a processor we build nothing for.
    #[error("it is for an unknown processor, number {0}")]
    Machine(u16),
    /// Dynamically linked.
    #[error("it is not static, it needs {0}; build it with `cargo xtask image`, or a Go program with CGO_ENABLED=0")]
    Loader(String),
}

/// The processor, as Go and OCI spell it, of a program that needs no file but itself.
pub(super) fn architecture(program: &[u8]) -> Result<&'static str, Unfit> {
    // Magic number, 64 bit, little end first.
    if !program.starts_with(b"\x7fELF\x02\x01") {
        return Err(Unfit::NotElf);
    }
    let architecture = match u16::from_le_bytes(field(program, MACHINE)?) {
        0x3e => "amd64",
        0xb7 => "arm64",
        other => return Err(Unfit::Machine(other)),
    };
    let first = offset(u64::from_le_bytes(field(program, HEADERS_OFFSET)?))?;
    let size = usize::from(u16::from_le_bytes(field(program, HEADER_SIZE)?));
    let count = usize::from(u16::from_le_bytes(field(program, HEADER_COUNT)?));
    for header in (0..count).map(|number| first.saturating_add(number * size)) {
        if u32::from_le_bytes(field(program, header)?) == INTERPRETER {
            return Err(Unfit::Loader(loader(program, header)?));
        }
    }
    Ok(architecture)
}

fn loader(program: &[u8], header: usize) -> Result<String, Unfit> {
    let start = offset(u64::from_le_bytes(field(program, header + FILE_OFFSET)?))?;
    let length = offset(u64::from_le_bytes(field(program, header + FILE_SIZE)?))?;
    let path = program
        .get(start..start.saturating_add(length))
        .ok_or(Unfit::NotElf)?;
    Ok(String::from_utf8_lossy(path).trim_end_matches('\0').to_owned())
}

fn field<const N: usize>(program: &[u8], at: usize) -> Result<[u8; N], Unfit> {
    let bytes = program.get(at..at.saturating_add(N)).ok_or(Unfit::NotElf)?;
    bytes.try_into().map_err(|_| Unfit::NotElf)
}

fn offset(number: u64) -> Result<usize, Unfit> {
    usize::try_from(number).map_err(|_| Unfit::NotElf)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The least a program can be, with or without a loader.
    pub(in crate::image) fn program(loader: Option<&str>) -> Vec<u8> {
        let mut bytes = vec![0_u8; 64];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[MACHINE] = 0x3e;
        bytes[HEADERS_OFFSET] = 64;
        bytes[HEADER_SIZE] = 56;
        bytes[HEADER_COUNT] = 2;
        let mut load = [0_u8; 56];
        load[0] = 1;
        let mut second = load;
        if let Some(loader) = loader {
            second[0] = 3;
            second[FILE_OFFSET] = 176;
            second[FILE_SIZE] = u8::try_from(loader.len() + 1).unwrap();
        }
        bytes.extend(load);
        bytes.extend(second);
        bytes.extend(loader.unwrap_or_default().as_bytes());
        bytes.push(0);
        bytes
    }

    #[test]
    fn a_static_program_is_told_from_a_dynamic_one() {
        assert_eq!(architecture(&program(None)), Ok("amd64"));
        assert_eq!(
            architecture(&program(Some("/lib/ld.so"))),
            Err(Unfit::Loader("/lib/ld.so".to_owned()))
        );
    }

    #[test]
    fn what_is_no_program_of_ours_is_told() {
        let whole = program(Some("/lib/ld.so"));
        for short in [&b"#!/bin/sh"[..], &whole[..63], &whole[..120], &whole[..180], b""] {
            assert_eq!(architecture(short), Err(Unfit::NotElf), "{} bytes", short.len());
        }
        let mut strange = whole;
        strange[MACHINE] = 8;
        assert_eq!(architecture(&strange), Err(Unfit::Machine(8)));
    }
}
