// The role and the lag of this replica, in one line. Hidden if the database is not shared.

import { connection } from "./connection.js";
import { h, setText } from "./dom.js";
import { formatDuration, pluralize } from "./format.js";

const REFRESH_INTERVAL_MS = 10_000;
// The same as MAX_SILENCE in the service.
const MAX_SILENCE_SECONDS = 3;
const ROLES = { holder: "works on the update", standby: "on standby" };

export function replicaLine(signal) {
  const line = h("p", { class: "muted", hidden: true });
  const refresh = async () => {
    try {
      // 503 has a body, too.
      const response = await fetch("health/ready", { signal });
      const { replica } = await response.json();
      line.hidden = !replica;
      if (replica) setText(line, describe(replica));
    } catch {
      // The connection's banner says that the service does not respond.
    }
  };
  const timer = setInterval(() => document.hidden || refresh(), REFRESH_INTERVAL_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  connection.addEventListener("online", refresh, { signal });
  refresh();
  return line;
}

function describe({ role, snapshots_behind: behind, seconds_since_contact: seconds }) {
  const lag = behind ? `${pluralize(behind, "snapshot")} behind` : "up to date";
  const state = seconds > MAX_SILENCE_SECONDS
    ? `the shared database has not responded for ${formatDuration(Math.round(seconds))}`
    : lag;
  return `This replica: ${ROLES[role] ?? role}, ${state}`;
}
