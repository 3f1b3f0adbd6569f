//! The pages as they are have only commands that the end-to-end run can run, and that harm nothing.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

/// What whoever is on call is asked to have.
const PROGRAMS: [&str; 7] = ["kubectl", "helm", "nats", "curl", "openssl", "base64", "kill"];
/// What looks and leaves things alone.
const LOOKS: [&str; 14] = [
    "kubectl get",
    "kubectl describe",
    "kubectl logs",
    "kubectl port-forward",
    "kubectl exec",
    "kubectl auth",
    "kubectl create",
    "helm history",
    "nats rtt",
    "nats stream",
    "nats consumer",
    "curl",
    "openssl",
    "base64",
];
/// What can be asked of the API server without being done.
const CHANGES: [&str; 5] = [
    "kubectl patch",
    "kubectl scale",
    "kubectl apply",
    "kubectl delete",
    "helm rollback",
];

fn all() -> Vec<Step> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    read(&root)
        .unwrap()
        .iter()
        .flat_map(|(page, text)| steps(page, text).unwrap())
        .collect()
}

/// A program and what it is to do, without the options before that.
fn deed(words: &[String]) -> String {
    let mut words = words.iter().map(String::as_str).peekable();
    let program = words.next().unwrap_or_default();
    if !["kubectl", "helm", "nats"].contains(&program) {
        return program.to_owned();
    }
    while words.next_if_eq(&"--namespace").is_some() {
        words.next();
    }
    format!("{program} {}", words.next().unwrap_or_default())
}

#[test]
fn every_command_of_the_pages_is_known_and_harmless() {
    let steps = all();
    assert!(steps.len() > 60, "only {} commands were found", steps.len());
    for step in &steps {
        let at = format!("{}:{}: {}", step.page, step.line, step.text);
        let programs = step.programs();
        assert!(!programs.is_empty(), "{at}");
        for (place, words) in programs.iter().enumerate() {
            let deed = deed(words);
            let program = words[0].as_str();
            assert!(PROGRAMS.contains(&program), "{at}: `{program}` is not known");
            let last = place + 1 == programs.len();
            let allowed = match step.mode {
                Mode::Meta => program == "curl" && step.text.contains("https://graph.facebook.com/"),
                Mode::Change if last => CHANGES.contains(&deed.as_str()),
                Mode::Change | Mode::Look => program == "kill" || LOOKS.contains(&deed.as_str()),
            };
            assert!(allowed, "{at}: `{deed}` in a block of {:?}", step.mode);
            // What `create` makes goes to the next program, and not to the cluster.
            let makes = deed == "kubectl create" && !words.contains(&"--dry-run=client".to_owned());
            assert!(!makes, "{at}: it makes something");
        }
        if step.mode != Mode::Meta {
            let script = step.script(|word| Some(word.to_lowercase())).unwrap();
            assert_eq!(script.contains(DRY_RUN), step.mode == Mode::Change, "{script}");
        }
    }
}

#[test]
fn every_placeholder_is_explained_and_every_explained_one_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("docs/on-call.md")).unwrap();
    let explained: BTreeSet<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|word| word.bytes().all(|byte| byte.is_ascii_uppercase()))
        .collect();
    assert_eq!(explained, PLACEHOLDERS.into());
    for word in PLACEHOLDERS {
        let is_used = |step: &Step| {
            step.mode != Mode::Meta
                && step
                    .script(|asked| (asked != word).then(|| "x".to_owned()))
                    .is_err()
        };
        assert!(all().iter().any(is_used), "{word} is used nowhere");
    }
}

#[test]
fn a_block_becomes_commands_with_what_was_set_before() {
    let text = "# T\n\n```sh\nURL=$(kubectl get x)\n# a comment\ncurl \\\n  \"$URL\"\nnats rtt\n```\n\n```text\nno command\n```\n";
    let steps = steps("a.md", text).unwrap();
    assert_eq!(steps.len(), 2);
    assert_eq!((steps[0].line, steps[0].text.as_str()), (6, "curl \"$URL\""));
    assert_eq!(steps[0].before, ["URL=$(kubectl get x)"]);
    assert_eq!(
        steps[0].script(|_| None).unwrap(),
        "URL=$(kubectl get x)\ncurl \"$URL\"\n"
    );
    let programs: Vec<_> = steps[0]
        .programs()
        .into_iter()
        .map(|words| words[0].clone())
        .collect();
    assert_eq!(programs, ["kubectl", "curl"]);
}

#[test]
fn placeholders_are_whole_words_and_unknown_ones_are_refused() {
    let step = |text: &str| {
        steps("a.md", &format!("```sh change\n{text}\n```\n"))
            .unwrap()
            .remove(0)
    };
    let fill = |word: &str| Some(format!("<{word}>"));
    let found = step("kubectl --namespace NAMESPACE get NAME-webhook TLSx")
        .script(fill)
        .unwrap();
    assert_eq!(
        found,
        "kubectl --namespace <NAMESPACE> get <NAME>-webhook TLSx --dry-run=server\n"
    );
    let refused = step("kubectl get SOMETHING").script(fill).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a.md:2: `SOMETHING` is no placeholder that docs/on-call.md explains"
    );
}

#[test]
fn what_cannot_be_run_is_refused() {
    assert!(matches!(
        steps("a.md", "```sh later\nx\n```\n"),
        Err(PageError::Fence { line: 1, .. })
    ));
    assert_eq!(
        steps("a.md", "```sh\nx\n"),
        Err(PageError::Open("a.md".to_owned()))
    );
    assert_eq!(steps("a.md", "```yaml\nx\n```\n"), Ok(Vec::new()));
}
