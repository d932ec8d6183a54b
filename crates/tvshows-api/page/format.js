// Numbers, times and names as people read them.

const LOCALE = "en-GB";
const dates = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium" });
const moments = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short" });
const days = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeZone: "UTC" });
const clock = new Intl.DateTimeFormat(LOCALE, { timeStyle: "short" });

export const number = (value) => (value ?? 0).toLocaleString(LOCALE);

export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

// Today's moments by the hour, others with their date.
export function moment(text) {
  const date = new Date(text);
  return dates.format(date) === dates.format(new Date()) ? `today, ${clock.format(date)}` : moments.format(date);
}

// A day of upstream, which need not be one.
export function day(text) {
  const date = new Date(`${text}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? text : days.format(date);
}

export function duration(seconds) {
  if (seconds < 10) return `${Number.isInteger(seconds) ? seconds : seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function ago(text, now = Date.now()) {
  const seconds = Math.max(0, (now - new Date(text)) / 1000);
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${plural(Math.floor(seconds / 86_400), "day")} ago`;
}

// The years in which a show ran.
export function years({ premiered, ended, status }) {
  const from = premiered?.slice(0, 4);
  const to = ended?.slice(0, 4);
  if (!from) return "";
  if (to) return from === to ? from : `${from}–${to}`;
  return status === "Running" ? `${from}–` : from;
}

export const rating = (value) => (value == null ? "–" : value.toFixed(1));

export const channel = (show) => (show.network ?? show.webChannel)?.name ?? null;
