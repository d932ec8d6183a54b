use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;
use tvshows_api::RequestContext;

use crate::output;

/// Lines in the format `F`, followed by the ids of the current request and its trace.
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
        DefaultFields::new().format_fields(Writer::new(&mut text), fields)?;
        writer.write_str(&output::escape_controls(&text))
    }
}
