//! The dashboards, for the chart, which reads only what is in it, and for the mixin, which is taken alone.

/// Where they are put.
const PLACES: [&str; 2] = ["charts/wahook/files/dashboards", "monitoring/mixin/dashboards"];

/// Path from the root of the workspace and content of each file.
pub(super) fn files() -> Vec<(String, String)> {
    let dashboards = wahook_dashboards::all();
    let in_place = |place: &'static str| {
        dashboards.iter().map(move |dashboard| {
            let path = format!("{place}/{}.json", dashboard.name);
            (path, format!("{:#}\n", dashboard.json))
        })
    };
    PLACES.into_iter().flat_map(in_place).collect()
}
