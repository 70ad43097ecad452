//! Where log lines and spans go: standard error, and an OpenTelemetry collector when the `OTEL_…`
//! variables name one.
//!
//! Leaves out what is said (`events.rs`). The exporter speaks OTLP over plain HTTP, to a collector beside
//! the gate.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::events::REQUEST_SPAN;
use crate::settings::{self, environment};

/// Ends the export when it is dropped, so that the last spans are sent.
#[derive(Debug)]
#[must_use]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
    filter: LogFilter,
}

impl Telemetry {
    /// What sets another filter while the program runs.
    #[must_use]
    pub fn filter(&self) -> LogFilter {
        self.filter.clone()
    }
}

/// Sets which log lines are written, while the program runs.
#[derive(Debug, Clone)]
pub struct LogFilter(reload::Handle<EnvFilter, Registry>);

impl LogFilter {
    /// Puts a filter in force.
    ///
    /// # Errors
    /// The logging of the process is gone.
    pub fn set(&self, filter: EnvFilter) -> anyhow::Result<()> {
        Ok(self.0.reload(filter)?)
    }
}

/// Reads a filter as it is written in the settings.
///
/// # Errors
/// It cannot be read.
pub fn filter(written: Option<&str>) -> anyhow::Result<EnvFilter> {
    // The provider's library says on its own what we say better, and at length.
    let written = written.unwrap_or("info,aws_config=off");
    // Spans are for the collector: without one nobody enables them, and they cost nothing.
    EnvFilter::try_new(format!("{written},{REQUEST_SPAN}=off"))
        .map_err(|error| anyhow::anyhow!("`log.filter` is `{written}`: {error}; write one such as `info`"))
}

/// Checks what the settings say of logging, without setting it up.
///
/// # Errors
/// A filter or a format that cannot be read.
pub fn check(log: &settings::Log) -> anyhow::Result<()> {
    is_json(log)?;
    filter(log.filter.as_deref()).map(drop)
}

fn is_json(log: &settings::Log) -> anyhow::Result<bool> {
    match log.format.as_deref().unwrap_or("text") {
        "text" => Ok(false),
        "json" => Ok(true),
        other => anyhow::bail!("`log.format` is `{other}`: use `text` or `json`"),
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = &self.provider {
            // The program ends either way; a collector that has gone cannot be told so.
            drop(provider.shutdown());
        }
    }
}

/// Sets up logging for the whole process.
///
/// # Errors
/// A filter or a format that cannot be read, an exporter that cannot be made, or a second call.
pub fn start(log: &settings::Log) -> anyhow::Result<Telemetry> {
    let (filter, handle) = reload::Layer::new(filter(log.filter.as_deref())?);
    let lines = if is_json(log)? {
        fmt::layer().with_writer(std::io::stderr).json().flatten_event(true).with_target(false).boxed()
    } else {
        fmt::layer().with_writer(std::io::stderr).with_ansi(false).with_target(false).boxed()
    };
    let provider = exporter()?;
    let spans = provider.as_ref().map(|provider| {
        let only = Targets::new().with_target(REQUEST_SPAN, tracing::Level::INFO);
        tracing_opentelemetry::layer().with_tracer(provider.tracer("ordain")).with_filter(only)
    });
    tracing_subscriber::registry().with(lines.with_filter(filter)).with(spans).try_init()?;
    Ok(Telemetry { provider, filter: LogFilter(handle) })
}

/// Spans are exported only when someone names a place for them, as the OpenTelemetry specification has it.
fn exporter() -> anyhow::Result<Option<SdkTracerProvider>> {
    let named = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
    let disabled = environment("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if disabled || !named.into_iter().any(|name| environment(name).is_some()) {
        return Ok(None);
    }
    let exporter = SpanExporter::builder().with_http().build()?;
    let mut resource = Resource::builder();
    let attributes = environment("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    if environment("OTEL_SERVICE_NAME").is_none() && !attributes.contains("service.name=") {
        resource = resource.with_service_name("ordain");
    }
    Ok(Some(
        SdkTracerProvider::builder().with_resource(resource.build()).with_batch_exporter(exporter).build(),
    ))
}
