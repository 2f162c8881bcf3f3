//! Figures in the OpenMetrics text form.
//!
//! Labels are routes, methods and statuses of our own choice, never what a client sent: their number is bounded
//! (GHSA-9c54-x2g4-v92j).

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the latency histogram, in seconds: from the cost of one signature to the deadline.
const LATENCIES: [f64; 12] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// The counters of a server.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Families>);

struct Families {
    requests: Family<Request, Counter>,
    latencies: Family<Route, Histogram, fn() -> Histogram>,
}

impl Default for Families {
    fn default() -> Self {
        let latencies = Family::new_with_constructor((|| Histogram::new(LATENCIES)) as fn() -> _);
        Self { requests: Family::default(), latencies }
    }
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Request {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Route {
    route: String,
}

/// A figure that is read when it is asked for.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The name, such as `bulla_log_entries`.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub help: &'static str,
    /// Whether it only grows.
    pub kind: SampleKind,
    /// Label and value, such as `("log", "rekor-v2")`.
    pub label: Option<(&'static str, String)>,
    /// The figure.
    pub value: f64,
}

/// Whether a figure only grows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SampleKind {
    /// It only grows while the process lives.
    Counter,
    /// It goes up and down.
    Gauge,
}

impl Metrics {
    /// Counts one request.
    pub fn count(&self, method: &Method, route: &str, status: u16, took: Duration) {
        let request = Request { method: method_name(method), route: route.to_owned(), status };
        self.0.requests.get_or_create(&request).inc();
        let route = Route { route: route.to_owned() };
        self.0.latencies.get_or_create(&route).observe(took.as_secs_f64());
    }

    /// Everything as text, with `samples` read just now.
    #[must_use]
    pub fn render(&self, samples: &[Sample]) -> String {
        let mut registry = Registry::with_prefix("bulla");
        registry.register("http_requests", "Requests answered", self.0.requests.clone());
        registry.register(
            "http_request_seconds",
            "Time from the first byte to the answer",
            self.0.latencies.clone(),
        );
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &registry);
        let end = text.find("# EOF").unwrap_or(text.len());
        text.truncate(end);
        // What has one name stands together, whichever parts it comes from.
        let mut samples: Vec<&Sample> = samples.iter().collect();
        samples.sort_by_key(|sample| sample.name);
        let mut described = "";
        for sample in samples {
            let (kind, suffix) = match sample.kind {
                SampleKind::Counter => ("counter", "_total"),
                SampleKind::Gauge => ("gauge", ""),
            };
            if described != sample.name {
                let _ = writeln!(text, "# HELP {} {}\n# TYPE {0} {kind}", sample.name, sample.help);
                described = sample.name;
            }
            let label = sample.label.as_ref();
            let label = label.map(|(name, value)| format!("{{{name}=\"{value}\"}}"));
            let label = label.unwrap_or_default();
            let _ = writeln!(text, "{}{suffix}{label} {}", sample.name, sample.value);
        }
        text.push_str("# EOF\n");
        text
    }
}

/// A fixed name for each method, so that a client cannot invent labels.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_samples_are_written_once_each() {
        let metrics = Metrics::default();
        metrics.count(&Method::GET, "/healthz", 200, Duration::from_millis(1));
        let sample = |name, log: &str| Sample {
            name,
            help: "What is in the log",
            kind: SampleKind::Gauge,
            label: Some(("log", log.to_owned())),
            value: 7.0,
        };
        let of = |log| [sample("bulla_log_entries", log), sample("bulla_log_batches", log)];
        let text = metrics.render(&[of("rekor-v1"), of("rekor-v2")].concat());
        assert!(text.contains(
            "bulla_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 1"
        ));
        assert_eq!(text.matches("# TYPE bulla_log_entries gauge").count(), 1);
        assert!(text.contains(
            "bulla_log_entries{log=\"rekor-v1\"} 7\nbulla_log_entries{log=\"rekor-v2\"} 7\n"
        ));
        assert!(text.ends_with("# EOF\n"));
    }
}
