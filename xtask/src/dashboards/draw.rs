//! What is in a panel: a number, a table, lines or a histogram over time.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "pixels of a picture that is a few thousand wide"
)]

use std::collections::BTreeMap;

use plotters::prelude::*;

use super::numbers;
use super::picture::{Area, FAINT, Failure, INK, Panel, write};

const PALETTE: [RGBColor; 10] = [
    RGBColor(0x37, 0x87, 0x2d),
    RGBColor(0x1f, 0x60, 0xc4),
    RGBColor(0xe0, 0x2f, 0x44),
    RGBColor(0xe0, 0xa0, 0x00),
    RGBColor(0x8f, 0x3b, 0xb8),
    RGBColor(0x12, 0x93, 0x9a),
    RGBColor(0xfa, 0x64, 0x00),
    RGBColor(0x7c, 0x2e, 0xa3),
    RGBColor(0x5c, 0x6b, 0x73),
    RGBColor(0xb8, 0x77, 0xd9),
];
const MESH: RGBColor = RGBColor(0xea, 0xec, 0xee);
/// How wide a letter of the legend is, more or less: there are no fonts here to ask.
const LETTER: i32 = 6;
/// The height of a line of the legend, and how many there may be.
const LEGEND: i32 = 15;
const LEGEND_LINES: i32 = 3;
/// Two points further apart than this many steps are not joined.
const APART: f64 = 2.5;
/// The smallest value on a scale of tens: a millisecond.
const SMALLEST: f64 = 0.001;

fn colour(name: &str) -> RGBColor {
    match name {
        "red" => PALETTE[2],
        "yellow" => PALETTE[3],
        "blue" => PALETTE[1],
        _ => PALETTE[0],
    }
}

/// The thresholds: from which value on, and the colour.
fn steps(panel: &Panel<'_>) -> Vec<(Option<f64>, RGBColor)> {
    let steps = panel.json["fieldConfig"]["defaults"]["thresholds"]["steps"].as_array();
    let step = |step: &serde_json::Value| {
        let name = step["color"].as_str().unwrap_or_default();
        (step["value"].as_f64(), colour(name))
    };
    steps.into_iter().flatten().map(step).collect()
}

/// The numbers of now, in the colours of the thresholds.
pub(super) fn stat(area: &Area<'_>, panel: &Panel<'_>) -> Result<(), Failure> {
    let many = panel.series.len() > 1;
    for (at, series) in (0..).zip(&panel.series) {
        let Some((_, value)) = series.points.last() else {
            continue;
        };
        let reached = |(from, _): &&(Option<f64>, RGBColor)| from.is_none_or(|from| *value >= from);
        let steps = steps(panel);
        let colour = steps.iter().rev().find(reached).map_or(INK, |step| step.1);
        let left = 4 + at * 100;
        write(area, &numbers::text(*value, panel.unit), (left, 14), 28, colour)?;
        if many {
            write(area, &series.name, (left, 50), 12, FAINT)?;
        }
    }
    Ok(())
}

/// Labels and values. What does not fit is left out, as behind a scroll bar.
pub(super) fn table(area: &Area<'_>, panel: &Panel<'_>) -> Result<(), Failure> {
    let (width, height) = area.dim_in_pixel();
    let mut rows: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    let mut head: Vec<String> = Vec::new();
    for series in &panel.series {
        head = series.labels.iter().map(|(name, _)| name.clone()).collect();
        let key = series.labels.iter().map(|(_, value)| value.clone()).collect();
        let value = series
            .points
            .last()
            .map(|(_, value)| format!("{}: {}", series.name, numbers::text(*value, panel.unit)));
        rows.entry(key).or_default().extend(value);
    }
    let columns = head.len() as i32 + 1;
    let column = width as i32 / columns.max(1);
    for (at, name) in (0..).zip(&head) {
        write(area, name, (at * column + 4, 0), 12, FAINT)?;
    }
    for (line, (labels, values)) in (1..(height as i32 / 18)).zip(rows) {
        let cells = labels.into_iter().chain([values.join(", ")]);
        for (at, cell) in (0..).zip(cells) {
            write(area, &cell, (at * column + 4, line * 18), 12, INK)?;
        }
    }
    Ok(())
}

/// The names of the series below what is drawn; how high that is.
fn legend(area: &Area<'_>, panel: &Panel<'_>) -> Result<i32, Failure> {
    let (width, height) = area.dim_in_pixel();
    let mut places = Vec::new();
    let (mut x, mut line) = (6, 0);
    for (at, series) in panel.series.iter().enumerate() {
        let wide = 26 + LETTER * series.name.chars().count() as i32;
        if x + wide > width as i32 && x > 6 {
            (x, line) = (6, line + 1);
        }
        if line == LEGEND_LINES {
            break;
        }
        places.push((x, line, at));
        x += wide;
    }
    let high = (line.min(LEGEND_LINES - 1) + 1) * LEGEND;
    let top = height as i32 - high;
    for (x, line, at) in places {
        let y = top + line * LEGEND;
        let colour = colour_of(panel, at);
        area.draw(&Rectangle::new([(x, y + 5), (x + 12, y + 8)], colour.filled()))?;
        write(area, &panel.series[at].name, (x + 16, y), 11, FAINT)?;
    }
    // The labels of the axis reach a little below their area.
    Ok(high + 6)
}

/// From values to the height on the axis and back: labels are at round heights, and round is another thing for bytes and hours.
#[derive(Clone, Copy)]
struct Scale {
    unit: f64,
    is_logarithmic: bool,
}

impl Scale {
    fn new(panel: &Panel<'_>, top: f64) -> Self {
        let units: &[f64] = match panel.unit {
            "s" => &[86_400.0, 3600.0, 60.0],
            "bytes" | "binBps" => &[1024.0 * 1024.0 * 1024.0, 1024.0 * 1024.0, 1024.0],
            _ => &[],
        };
        let custom = &panel.json["fieldConfig"]["defaults"]["custom"];
        Self {
            unit: units
                .iter()
                .copied()
                .find(|unit| top >= 2.0 * unit)
                .unwrap_or(1.0),
            is_logarithmic: custom["scaleDistribution"]["type"] == "log",
        }
    }

    fn height(self, value: f64) -> f64 {
        if self.is_logarithmic {
            value.max(SMALLEST).log10()
        } else {
            value / self.unit
        }
    }

    fn value(self, height: f64) -> f64 {
        if self.is_logarithmic {
            10_f64.powf(height)
        } else {
            height * self.unit
        }
    }
}

/// The colour of a series: by its name, if that has one, else in turn.
fn colour_of(panel: &Panel<'_>, at: usize) -> RGBColor {
    let overrides = panel.json["fieldConfig"]["overrides"].as_array();
    let name = &panel.series[at].name;
    let fixed = overrides
        .into_iter()
        .flatten()
        .find(|one| one["matcher"]["options"] == name.as_str());
    let fixed = fixed.and_then(|one| one["properties"][0]["value"]["fixedColor"].as_str());
    fixed.map_or(PALETTE[at % PALETTE.len()], colour)
}

/// The time between two points.
fn step(times: impl Iterator<Item = f64> + Clone) -> f64 {
    let next = times.clone().skip(1);
    let steps = times.zip(next).map(|(one, next)| next - one);
    steps.filter(|step| *step > 0.0).fold(f64::INFINITY, f64::min)
}

/// Minutes and seconds since the beginning.
fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as i64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Lines, or areas on top of each other, with the thresholds.
pub(super) fn lines(area: &Area<'_>, panel: &Panel<'_>) -> Result<(), Failure> {
    let custom = &panel.json["fieldConfig"]["defaults"]["custom"];
    let is_stacked = custom["stacking"]["mode"] == "normal";
    let shows_steps = custom["thresholdsStyle"]["mode"] == "line";
    let bands = if is_stacked { stacked(panel) } else { plain(panel) };
    let is_logarithmic = custom["scaleDistribution"]["type"] == "log";
    let values = || bands.iter().flatten().map(|point| point.2);
    let most = values().fold(0.0_f64, f64::max);
    let least = values().fold(0.0_f64, f64::min);
    let lines: Vec<_> = steps(panel)
        .into_iter()
        .filter_map(|(from, colour)| Some((from.filter(|_| shows_steps)?, colour)))
        // A line far above everything would press the rest flat.
        .filter(|(from, _)| *from <= most * 4.0 || is_logarithmic)
        .collect();
    let limit = panel.json["fieldConfig"]["defaults"]["max"].as_f64();
    let top = lines.iter().map(|(from, _)| *from).fold(most, f64::max);
    let top = limit.unwrap_or(if top > 0.0 { top * 1.1 } else { 1.0 });
    let scale = Scale::new(panel, top);
    let bottom = if is_logarithmic { SMALLEST } else { least * 1.1 };
    let heights = scale.height(bottom)..scale.height(top * 1.02);
    let low = legend(area, panel)?;
    let (begin, end) = panel.time;
    let mut chart = ChartBuilder::on(&area.margin(0, low as u32, 0, 10))
        .x_label_area_size(18)
        .y_label_area_size(74)
        .build_cartesian_2d(begin..end, heights)?;
    chart
        .configure_mesh()
        .x_labels(7)
        .y_labels(5)
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(MESH)
        .axis_style(MESH)
        .label_style(("sans-serif", 11).into_font().color(&FAINT))
        .x_label_formatter(&|at| clock(at - begin))
        .y_label_formatter(&|height| numbers::text(scale.value(*height), panel.unit))
        .draw()?;
    let apart = APART * step(bands.iter().flatten().map(|point| point.0));
    for (at, band) in bands.iter().enumerate() {
        let colour = colour_of(panel, at);
        if is_stacked && !band.is_empty() {
            let above = band.iter().map(|(at, _, high)| (*at, scale.height(*high)));
            let below = band.iter().rev().map(|(at, low, _)| (*at, scale.height(*low)));
            let outline: Vec<_> = above.chain(below).collect();
            chart.draw_series([Polygon::new(outline, colour.mix(0.35).filled())])?;
        }
        for piece in band.chunk_by(|one, next| next.0 - one.0 < apart) {
            let points = piece.iter().map(|(at, _, high)| (*at, scale.height(*high)));
            chart.draw_series(LineSeries::new(points, colour.stroke_width(1)))?;
        }
    }
    for (from, colour) in lines {
        let ends = [(begin, scale.height(from)), (end, scale.height(from))];
        chart.draw_series(DashedLineSeries::new(ends, 6, 4, colour.stroke_width(1)))?;
    }
    Ok(())
}

/// When, from which value on, and up to which.
type Band = Vec<(f64, f64, f64)>;

fn plain(panel: &Panel<'_>) -> Vec<Band> {
    let band = |points: &Vec<(f64, f64)>| points.iter().map(|(at, value)| (*at, 0.0, *value)).collect();
    panel.series.iter().map(|series| band(&series.points)).collect()
}

/// Each on top of those before it.
fn stacked(panel: &Panel<'_>) -> Vec<Band> {
    let mut heights: BTreeMap<u64, f64> = BTreeMap::new();
    let band = |points: &Vec<(f64, f64)>, heights: &mut BTreeMap<u64, f64>| {
        let on_top = |(at, value): &(f64, f64)| {
            // Milliseconds: times are equal in all series, and no floating point is a key.
            let height = heights.entry((at * 1e3) as u64).or_default();
            let low = *height;
            *height += value;
            (*at, low, *height)
        };
        points.iter().map(on_top).collect()
    };
    let series = panel.series.iter();
    series.map(|one| band(&one.points, &mut heights)).collect()
}

/// The buckets of a histogram, one above the other, the darker the more.
pub(super) fn heatmap(area: &Area<'_>, panel: &Panel<'_>) -> Result<(), Failure> {
    let bound = |labels: &[(String, String)]| {
        let le = labels.iter().find(|(name, _)| name == "le")?;
        le.1.parse::<f64>().ok()
    };
    let mut buckets: Vec<_> = panel
        .series
        .iter()
        .filter_map(|series| Some((bound(&series.labels)?, &series.points)))
        .collect();
    buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
    // Buckets count everything below them, too.
    let mut below: BTreeMap<u64, f64> = BTreeMap::new();
    let mut cells = Vec::new();
    for (row, (_, points)) in buckets.iter().enumerate() {
        for (at, value) in *points {
            let known = below.insert((at * 1e3) as u64, *value).unwrap_or_default();
            cells.push((*at, row as f64, (value - known).max(0.0)));
        }
    }
    let most = cells.iter().map(|cell| cell.2).fold(f64::MIN_POSITIVE, f64::max);
    let (begin, end) = panel.time;
    let rows = buckets.len() as f64;
    let mut chart = ChartBuilder::on(&area.margin(0, 0, 0, 10))
        .x_label_area_size(18)
        .y_label_area_size(74)
        .build_cartesian_2d(begin..end, 0.0..rows.max(1.0))?;
    let name = |row: f64| {
        let bound = buckets.get(row.round() as usize).map(|bucket| bucket.0);
        bound.map_or_else(String::new, |bound| {
            if bound.is_finite() {
                numbers::text(bound, panel.unit)
            } else {
                "more".to_owned()
            }
        })
    };
    chart
        .configure_mesh()
        .x_labels(7)
        .y_labels(buckets.len() + 1)
        .disable_mesh()
        .axis_style(MESH)
        .label_style(("sans-serif", 10).into_font().color(&FAINT))
        .x_label_formatter(&|at| clock(at - begin))
        .y_label_formatter(&|row| name(*row))
        .draw()?;
    let step = step(cells.iter().map(|cell| cell.0));
    let filled = cells.into_iter().filter(|cell| cell.2 > 0.0);
    chart.draw_series(filled.map(|(at, row, value)| {
        let shade = 0.15 + 0.85 * (value / most);
        let corners = [(at, row), ((at + step).min(end), row + 1.0)];
        Rectangle::new(corners, PALETTE[1].mix(shade).filled())
    }))?;
    Ok(())
}
