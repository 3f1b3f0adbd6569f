//! A dashboard as one picture: headings and panels where Grafana has them.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "pixels of a picture that is a few thousand wide"
)]

use plotters::coord::Shift;
use plotters::prelude::*;
use serde_json::Value;

use super::answers::{Series, series};
use super::draw;

/// A picture in the making.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One of Grafana's 24 columns, and one of its lines, in pixels.
const COLUMN: u32 = 56;
const LINE: u32 = 32;
/// Around everything, and between panels.
const MARGIN: u32 = 14;
const GAP: u32 = 6;
/// Above everything: the title.
const HEAD: u32 = 44;

pub(super) const INK: RGBColor = RGBColor(0x24, 0x29, 0x2e);
pub(super) const FAINT: RGBColor = RGBColor(0x6a, 0x73, 0x7d);
const EDGE: RGBColor = RGBColor(0xd8, 0xde, 0xe4);
const GROUND: RGBColor = RGBColor(0xf4, 0xf5, 0xf5);

/// A panel as it is drawn.
pub(super) struct Panel<'a> {
    pub(super) json: &'a Value,
    pub(super) unit: &'a str,
    pub(super) series: Vec<Series>,
    /// The beginning and the end of the time shown.
    pub(super) time: (f64, f64),
}

/// The picture.
pub(super) fn svg(dashboard: &Value, answers: &Value) -> Result<String, Failure> {
    let panels = || dashboard["panels"].as_array().into_iter().flatten();
    let lines = panels().map(|panel| place(panel, "y") + place(panel, "h")).max();
    let width = 24 * COLUMN + 2 * MARGIN;
    let height = HEAD + lines.unwrap_or_default() * LINE + 2 * MARGIN;
    let time = time(answers);
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (width, height)).into_drawing_area();
        root.fill(&GROUND)?;
        let title = dashboard["title"].as_str().unwrap_or_default();
        write(&root, title, (MARGIN as i32, 12), 22, INK)?;
        for panel in panels() {
            let left = MARGIN + place(panel, "x") * COLUMN;
            let top = HEAD + MARGIN + place(panel, "y") * LINE;
            if panel["type"] == "row" {
                let title = panel["title"].as_str().unwrap_or_default();
                write(&root, title, (left as i32, top as i32 + 8), 16, INK)?;
                continue;
            }
            let size = (place(panel, "w") * COLUMN - GAP, place(panel, "h") * LINE - GAP);
            let area = root.clone().shrink((left, top), size);
            let unit = panel["fieldConfig"]["defaults"]["unit"].as_str();
            let id = panel["id"].to_string();
            framed(
                &area,
                &Panel {
                    json: panel,
                    unit: unit.unwrap_or_default(),
                    series: series(&panel["targets"], &answers[id.as_str()]),
                    time,
                },
            )?;
        }
        root.present()?;
    }
    Ok(text)
}

fn place(panel: &Value, key: &str) -> u32 {
    let number = panel["gridPos"][key].as_u64().unwrap_or_default();
    u32::try_from(number).unwrap_or_default()
}

/// The same for all panels, so that they can be compared.
fn time(answers: &Value) -> (f64, f64) {
    let panels = answers.as_object().into_iter().flatten();
    let series = panels.flat_map(|(_, panel)| panel.as_array().into_iter().flatten());
    let series = series.flat_map(|answer| answer.as_array().into_iter().flatten());
    let samples = series.flat_map(|one| one["values"].as_array().into_iter().flatten());
    let times = samples.filter_map(|sample| sample[0].as_f64());
    let (first, last) = times.fold((f64::INFINITY, f64::NEG_INFINITY), |(first, last), at| {
        (first.min(at), last.max(at))
    });
    if first < last { (first, last) } else { (0.0, 1.0) }
}

fn framed(area: &Area<'_>, panel: &Panel<'_>) -> Result<(), Failure> {
    let (width, height) = area.dim_in_pixel();
    let corners = [(0, 0), (width as i32 - 1, height as i32 - 1)];
    area.draw(&Rectangle::new(corners, WHITE.filled()))?;
    area.draw(&Rectangle::new(corners, EDGE))?;
    let title = panel.json["title"].as_str().unwrap_or_default();
    write(area, title, (10, 8), 14, INK)?;
    let inside = area.margin(28, 6, 8, 8);
    match panel.json["type"].as_str() {
        Some("stat") => draw::stat(&inside, panel),
        Some("table") => draw::table(&inside, panel),
        Some("heatmap") => draw::heatmap(&inside, panel),
        _ => draw::lines(&inside, panel),
    }
}

/// Text from this corner on.
pub(super) fn write(
    area: &Area<'_>,
    text: &str,
    at: (i32, i32),
    size: i32,
    colour: RGBColor,
) -> Result<(), Failure> {
    let style = ("sans-serif", size).into_font().color(&colour);
    area.draw(&Text::new(text.to_owned(), at, style))?;
    Ok(())
}
