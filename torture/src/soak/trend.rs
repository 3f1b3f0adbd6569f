//! Whether something grows: a line through samples, and how sure its slope is. Pure.

/// A line by least squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// The mean of the values.
    pub mean: f64,
    /// By how much the value grows in one unit of time.
    pub slope: f64,
    /// Half the width of the 95 % confidence interval of the slope.
    pub margin: f64,
}

impl Trend {
    /// The line through samples of time and value; `None` for fewer than three, or when they are all of one time.
    ///
    /// The interval is that of independent samples: take one for each cycle of faults, not one for each second.
    pub fn of(samples: &[(f64, f64)]) -> Option<Self> {
        let count = float(samples.len());
        let freedom = samples.len().checked_sub(2).filter(|freedom| *freedom > 0)?;
        let mean_time = samples.iter().map(|sample| sample.0).sum::<f64>() / count;
        let mean = samples.iter().map(|sample| sample.1).sum::<f64>() / count;
        let spread: f64 = samples.iter().map(|sample| (sample.0 - mean_time).powi(2)).sum();
        if spread <= 0.0 {
            return None;
        }
        let together: f64 = samples.iter().map(|s| (s.0 - mean_time) * (s.1 - mean)).sum();
        let slope = together / spread;
        let rest: f64 = samples
            .iter()
            .map(|s| (s.1 - mean - slope * (s.0 - mean_time)).powi(2))
            .sum();
        let error = (rest / float(freedom) / spread).sqrt();
        Some(Self {
            mean,
            slope,
            margin: student(freedom) * error,
        })
    }

    /// Whether the slope is more than nothing, as surely as the interval says.
    pub fn surely_grows(&self) -> bool {
        self.slope - self.margin > 0.0
    }
}

/// The 97.5 % quantile of Student's t distribution, to a hundredth from three degrees of freedom on.
///
/// Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
fn student(freedom: usize) -> f64 {
    const NORMAL: f64 = 1.959_964;
    match freedom {
        1 => 12.706,
        2 => 4.303,
        _ => {
            let (z, n) = (NORMAL, float(freedom));
            let first = (z.powi(3) + z) / 4.0;
            let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
            let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
            let fourth =
                (79.0 * z.powi(9) + 776.0 * z.powi(7) + 1482.0 * z.powi(5) - 1920.0 * z.powi(3) - 945.0 * z)
                    / 92160.0;
            z + first / n + second / n.powi(2) + third / n.powi(3) + fourth / n.powi(4)
        }
    }
}

/// Counts here are far below what a float holds exactly.
#[allow(clippy::cast_precision_loss)]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(value: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        (0..40).map(|n| (f64::from(n), value(f64::from(n)))).collect()
    }

    /// Noise without a trend, of about one up and down.
    fn noise(time: f64) -> f64 {
        (time * 12.9898).sin() * 1.4
    }

    #[test]
    fn a_line_is_found() {
        let trend = Trend::of(&samples(|time| 3.0 + 2.0 * time)).unwrap();
        assert!((trend.slope - 2.0).abs() < 1e-9 && trend.margin < 1e-6);
        assert!((trend.mean - 42.0).abs() < 1e-9);
    }

    #[test]
    fn growth_is_told_from_noise() {
        assert!(
            !Trend::of(&samples(|time| 100.0 + noise(time)))
                .unwrap()
                .surely_grows()
        );
        assert!(
            Trend::of(&samples(|time| 100.0 + noise(time) + 0.1 * time))
                .unwrap()
                .surely_grows()
        );
        assert!(
            !Trend::of(&samples(|time| 100.0 + noise(time) - 0.1 * time))
                .unwrap()
                .surely_grows()
        );
    }

    #[test]
    fn the_interval_is_that_of_a_textbook() {
        // x = 1..5, y = 2, 4, 5, 4, 5: slope 0.6, standard error 0.2828, t(3) = 3.182.
        let trend = Trend::of(&[(1.0, 2.0), (2.0, 4.0), (3.0, 5.0), (4.0, 4.0), (5.0, 5.0)]).unwrap();
        assert!((trend.slope - 0.6).abs() < 1e-9);
        assert!((trend.margin - 0.9).abs() < 0.01, "{}", trend.margin);
        for (freedom, expected) in [(3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042), (100, 1.984)] {
            assert!(
                (student(freedom) - expected).abs() < 0.01,
                "{freedom}: {}",
                student(freedom)
            );
        }
    }

    #[test]
    fn too_little_is_no_trend() {
        assert!(Trend::of(&[(0.0, 1.0), (1.0, 2.0)]).is_none());
        assert!(Trend::of(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]).is_none());
    }
}
