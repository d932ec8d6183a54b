// Formats numbers, times and names for display.

const LOCALE = "en-GB";
const localDate = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium" });
const localTime = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
const utcDate = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeZone: "UTC" });

export const formatNumber = (value) => (value ?? 0).toLocaleString(LOCALE);

export const pluralize = (count, one, many = `${one}s`) => `${formatNumber(count)} ${count === 1 ? one : many}`;

export const capitalize = (text) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

// The service's messages start in lowercase and have no full stop.
export const toSentence = (text) => `${capitalize(text)}${text.endsWith(".") ? "" : "."}`;

// In the browser's time zone, which it names.
export function formatDateTime(timestamp) {
  const date = new Date(timestamp);
  const day = localDate.format(date);
  return `${day === localDate.format(new Date()) ? "today" : day}, ${localTime.format(date)}`;
}

// A calendar date from upstream; returned as it is if it is invalid.
export function formatDate(text) {
  const date = new Date(`${text}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? text : utcDate.format(date);
}

// The date of a Unix time; null if there is none or it is out of range.
export function formatUnixDate(seconds) {
  const date = new Date((seconds || NaN) * 1000);
  return Number.isNaN(date.getTime()) ? null : utcDate.format(date);
}

export function formatDuration(seconds) {
  if (seconds < 10) return `${Number.isInteger(seconds) ? seconds : seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function timeAgo(timestamp, now = Date.now()) {
  const seconds = Math.max(0, (now - new Date(timestamp)) / 1000);
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${pluralize(Math.floor(seconds / 86_400), "day")} ago`;
}

// The years a show has run, as far as they are known.
export function yearRange({ premiered, ended, status }) {
  const from = premiered?.slice(0, 4);
  const to = ended?.slice(0, 4);
  if (!from) return "";
  if (to) return from === to ? from : `${from}–${to}`;
  return status === "Running" ? `${from}–` : from;
}

export const formatRating = (value) => (value == null ? "–" : value.toFixed(1));

export const networkName = (show) => (show.network ?? show.webChannel)?.name ?? null;

export const networkCountry = (show) => (show.network?.country ?? show.webChannel?.country)?.name ?? null;
