//! Where a function is least.

/// Between two bounds: on a grid first, then by golden section.
pub(super) fn between(low: f64, high: f64, of: impl Fn(f64) -> f64) -> f64 {
    const GRID: usize = 20;
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let step = (high - low) / GRID as f64;
    let best = (0..=GRID).map(|place| low + step * place as f64).map(|at| (of(at), at));
    let (_, best) = best.fold((f64::INFINITY, low), |best, other| if other.0 < best.0 { other } else { best });
    let (mut a, mut b) = ((best - step).max(low), (best + step).min(high));
    let (mut c, mut d) = (b - GOLDEN * (b - a), a + GOLDEN * (b - a));
    let (mut of_c, mut of_d) = (of(c), of(d));
    for _ in 0..40 {
        if of_c < of_d {
            (b, d, of_d) = (d, c, of_c);
            c = b - GOLDEN * (b - a);
            of_c = of(c);
        } else {
            (a, c, of_c) = (c, d, of_d);
            d = a + GOLDEN * (b - a);
            of_d = of(d);
        }
    }
    f64::midpoint(a, b)
}

/// Near one of these points: by the simplex of Nelder and Mead (1965), from each.
pub(super) fn near<const N: usize>(starts: &[[f64; N]], steps: [f64; N], of: impl Fn(&[f64; N]) -> f64) -> [f64; N] {
    let found = starts.iter().map(|start| simplex(*start, steps, &of));
    let (_, best) = found.fold((f64::INFINITY, starts[0]), |best, other| if other.0 < best.0 { other } else { best });
    best
}

fn simplex<const N: usize>(start: [f64; N], steps: [f64; N], of: &impl Fn(&[f64; N]) -> f64) -> (f64, [f64; N]) {
    const ROUNDS: usize = 300;
    let mut corners = vec![(of(&start), start)];
    for place in 0..N {
        let mut at = start;
        at[place] += steps[place];
        corners.push((of(&at), at));
    }
    for _ in 0..ROUNDS {
        corners.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (best, worst) = (corners[0].0, corners[N].0);
        if (worst - best).abs() <= 1e-9 * (best.abs() + 1e-12) {
            break;
        }
        let mut centre = [0.0; N];
        for (_, at) in &corners[..N] {
            for place in 0..N {
                centre[place] += at[place] / N as f64;
            }
        }
        let furthest = corners[N].1;
        // On the line through the worst corner and the centre of the others.
        let along = |by: f64| std::array::from_fn(|place| centre[place] + by * (furthest[place] - centre[place]));
        let tried = |at: [f64; N]| (of(&at), at);
        let reflected = tried(along(-1.0));
        if reflected.0 < best {
            let expanded = tried(along(-2.0));
            corners[N] = if expanded.0 < reflected.0 { expanded } else { reflected };
        } else if reflected.0 < corners[N - 1].0 {
            corners[N] = reflected;
        } else {
            let contracted = tried(along(if reflected.0 < worst { -0.5 } else { 0.5 }));
            if contracted.0 < worst.min(reflected.0) {
                corners[N] = contracted;
            } else {
                let towards = corners[0].1;
                for corner in &mut corners[1..] {
                    *corner = tried(std::array::from_fn(|place| f64::midpoint(towards[place], corner.1[place])));
                }
            }
        }
    }
    corners.sort_by(|one, other| one.0.total_cmp(&other.0));
    corners[0]
}

/// A number between 0 and 1 for any number: so what is looked for stays within its bounds.
pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_is_found() {
        assert!((between(0.0, 1.0, |x| (x - 0.3).powi(2)) - 0.3).abs() < 1e-6);
        // Rosenbrock's valley, whose least is at (1, 1).
        let [x, y] = near(&[[-1.2, 1.0]], [0.5, 0.5], |[x, y]| (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2));
        assert!((x - 1.0).abs() < 1e-2 && (y - 1.0).abs() < 1e-2, "{x} {y}");
    }
}
