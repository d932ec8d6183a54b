use std::error::Error;
use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::field::{MakeVisitor, RecordFields, VisitOutput};
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;
use tvshows_api::RequestContext;
use tvshows_pipeline::error_chain;

use crate::output;

/// Lines in the format `F`, followed by the client and the ids of the current request.
pub(super) struct TextFormat<F>(pub(super) F);

impl<S, N, F> FormatEvent<S, N> for TextFormat<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        writer.write_str(line.trim_end_matches('\n'))?;
        let written = RequestContext::current(|request| {
            if let Some(client) = request.client() {
                write!(writer, " client={client}")?;
            }
            write!(writer, " request.id={}", request.request_id())?;
            request.trace_id().map_or(Ok(()), |trace| write!(writer, " trace.id={trace}"))
        });
        written.unwrap_or(Ok(()))?;
        writer.write_char('\n')
    }
}

/// The fields of an event or a span, with control characters escaped. Without colors, which are control characters, too.
pub(super) struct EscapedFields;

impl<'writer> FormatFields<'writer> for EscapedFields {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut text = String::new();
        let mut visitor = DefaultFields::new().make_visitor(Writer::new(&mut text));
        fields.record(&mut PlainVisitor(&mut visitor));
        visitor.finish()?;
        writer.write_str(&output::escape_controls(&text))
    }
}

/// Leaves out the directives for the trace exporter, and writes the causes of an error after it.
struct PlainVisitor<'a>(&'a mut dyn Visit);

impl Visit for PlainVisitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if !field.name().starts_with("otel.") {
            self.0.record_str(field, value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.0.record_debug(field, &format_args!("{}", error_chain(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.record_debug(field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt;
    use tracing_subscriber::fmt::format::Format;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged with hostile text in every place.
    fn logged(ansi: bool) -> String {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = fmt()
            .with_writer(move || writer.clone())
            .with_ansi(ansi)
            .fmt_fields(EscapedFields)
            .event_format(TextFormat(Format::default().with_ansi(ansi)))
            .finish();
        let hostile = "a\u{1b}[41mb\u{9b}2J\u{202e}\r\nfake line";
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("run", otel.kind = "server", span_value = hostile, span_text = %hostile);
            let _entered = span.enter();
            let error = io::Error::other(hostile);
            let error = &error as &dyn std::error::Error;
            tracing::warn!(value = hostile, text = %hostile, error, "{hostile}");
        });
        let log = log.0.lock().unwrap();
        String::from_utf8(log.clone()).unwrap()
    }

    #[test]
    fn a_line_has_no_control_characters_of_its_values() {
        let log = logged(false);
        let line = log.strip_suffix('\n').unwrap();
        assert!(!line.contains(char::is_control) && !line.contains('\u{202e}'), "{log:?}");
        for place in ["a", "span_value=", "span_text=a", " value=", " text=a", "error=a"] {
            assert!(line.contains(place), "{place}: {log}");
        }
        assert_eq!(line.matches("fake line").count(), 6, "{log}");
        assert!(!line.contains("otel."), "{log}");
    }

    #[test]
    fn a_terminal_gets_the_colors_of_the_format_only() {
        let log = logged(true);
        assert!(log.contains("\u{1b}[33m"), "the level is colored: {log:?}");
        let hostile = ["\u{1b}[41m", "\u{9b}", "\u{202e}", "\r"];
        assert!(!hostile.iter().any(|text| log.contains(text)), "{log:?}");
        assert_eq!(log.lines().count(), 1, "{log:?}");
    }
}
