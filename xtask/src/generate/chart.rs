//! What of the Helm chart is made from elsewhere: the resource's definition, the schema of its values and their table.

use super::values::{self, ValuesError};

const VALUES: &str = include_str!("../../../charts/wahook/values.yaml");
const README: &str = include_str!("../../../charts/wahook/README.md");
/// Between these lines of the README stands the table.
const BEGIN: &str = "<!-- values: begin -->\n";
const END: &str = "<!-- values: end -->\n";

/// Why a file of the chart cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChartError {
    /// The values are not written as the generator needs them.
    #[error("charts/wahook/values.yaml: {0}")]
    Values(#[from] ValuesError),
    /// The README has no place for the table.
    #[error(
        "charts/wahook/README.md: the lines `<!-- values: begin -->` and `<!-- values: end -->` are missing"
    )]
    NoPlace,
}

/// Path from the root of the workspace and content of each file.
pub(super) fn files(definition: &str) -> Result<[(&'static str, String); 3], ChartError> {
    Ok([
        ("charts/wahook/files/whatsappwebhooks.yaml", definition.to_owned()),
        ("charts/wahook/values.schema.json", values::schema(VALUES)?),
        (
            "charts/wahook/README.md",
            readme(README, &values::table(VALUES)?)?,
        ),
    ])
}

fn readme(page: &str, table: &str) -> Result<String, ChartError> {
    let (before, rest) = page.split_once(BEGIN).ok_or(ChartError::NoPlace)?;
    let (_, after) = rest.split_once(END).ok_or(ChartError::NoPlace)?;
    Ok(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_replaces_what_stood_there() {
        let page = format!("before\n{BEGIN}old\n{END}after\n");
        let page = readme(&page, "| new |\n").unwrap();
        assert_eq!(page, format!("before\n{BEGIN}\n| new |\n\n{END}after\n"));
        assert_eq!(readme(&page, "| new |\n").unwrap(), page);
        assert!(readme("without a place", "").is_err());
    }
}
