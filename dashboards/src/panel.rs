//! A panel: what it shows, how, and what it asks.

/// How a panel draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One large number for each query.
    Stat,
    /// Lines over time.
    Lines,
    /// Areas over time, one on top of the other.
    Areas,
    /// A histogram over time, in colours.
    Heatmap,
    /// Rows of labels and values, as they are now.
    Table,
}

/// What a number means, by Grafana's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A plain number.
    Count,
    /// Seconds.
    Seconds,
    /// A part of one, shown as percent.
    Part,
    /// Bytes, in powers of two.
    Bytes,
    /// Bytes in a second.
    BytesPerSecond,
    /// Requests in a second.
    Requests,
    /// Anything else in a second.
    PerSecond,
}

impl Unit {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Count => "short",
            Self::Seconds => "s",
            Self::Part => "percentunit",
            Self::Bytes => "bytes",
            Self::BytesPerSecond => "binBps",
            Self::Requests => "reqps",
            Self::PerSecond => "ops",
        }
    }
}

/// The colours of thresholds.
pub(crate) const GREEN: &str = "green";
pub(crate) const YELLOW: &str = "yellow";
pub(crate) const RED: &str = "red";
/// Neither good nor bad.
pub(crate) const BLUE: &str = "blue";

/// A query and what its series are called.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) expr: String,
    pub(crate) legend: &'static str,
}

/// A value and the colour from there on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) from: Option<f64>,
    pub(crate) colour: &'static str,
}

/// A panel.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    /// Stays the same when panels come and go: links to a panel have it.
    pub(crate) id: u16,
    pub(crate) kind: Kind,
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    pub(crate) unit: Unit,
    /// Of the 24 columns that Grafana has.
    pub(crate) width: u8,
    pub(crate) queries: Vec<Query>,
    pub(crate) steps: Vec<Step>,
    /// The alerts that fire over what is shown here, whose runbooks are linked.
    pub(crate) alerts: &'static [&'static str],
    /// The end of the scale.
    pub(crate) most: Option<f64>,
    /// Series whose name says which colour they have.
    pub(crate) colours: &'static [(&'static str, &'static str)],
    /// Each step of the scale is ten times the one before.
    pub(crate) is_logarithmic: bool,
    /// The scale need not begin at 0.
    pub(crate) is_signed: bool,
}

impl Panel {
    pub(crate) fn new(id: u16, kind: Kind, title: &'static str, unit: Unit) -> Self {
        Self {
            id,
            kind,
            title,
            description: "",
            unit,
            width: if kind == Kind::Stat { 4 } else { 12 },
            queries: Vec::new(),
            steps: vec![Step {
                from: None,
                colour: if kind == Kind::Stat { BLUE } else { GREEN },
            }],
            alerts: &[],
            most: None,
            colours: &[],
            is_logarithmic: false,
            is_signed: false,
        }
    }

    pub(crate) fn says(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    pub(crate) fn asks(mut self, expr: String, legend: &'static str) -> Self {
        self.queries.push(Query { expr, legend });
        self
    }

    pub(crate) fn wide(mut self, width: u8) -> Self {
        self.width = width;
        self
    }

    pub(crate) fn most(mut self, most: f64) -> Self {
        self.most = Some(most);
        self
    }

    pub(crate) fn colours(mut self, colours: &'static [(&'static str, &'static str)]) -> Self {
        self.colours = colours;
        self
    }

    pub(crate) fn logarithmic(mut self) -> Self {
        self.is_logarithmic = true;
        self
    }

    pub(crate) fn signed(mut self) -> Self {
        self.is_signed = true;
        self
    }

    /// The colour below all steps, and the steps: lines over time, colours of a number.
    pub(crate) fn steps(mut self, base: &'static str, steps: &[(f64, &'static str)]) -> Self {
        let further = steps.iter().map(|(from, colour)| Step {
            from: Some(*from),
            colour,
        });
        let base = Step {
            from: None,
            colour: base,
        };
        self.steps = std::iter::once(base).chain(further).collect();
        self
    }

    pub(crate) fn alerts(mut self, alerts: &'static [&'static str]) -> Self {
        self.alerts = alerts;
        self
    }
}

/// Panels under one heading.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: u16,
    pub(crate) title: &'static str,
    pub(crate) panels: Vec<Panel>,
}
