// Starts a run, follows it by long polls, and shows the last runs and the top shows.
// Whatever comes from TVmaze is set as text, never as HTML.
const element = (id) => document.getElementById(id);
const number = (value) => (value ?? 0).toLocaleString("en");
const pause = (seconds) => new Promise((resume) => setTimeout(resume, 1000 * seconds));
const isLive = (status) => ["queued", "running"].includes(status.state);

let watched = null;

function notice(text) {
  element("notice").textContent = text;
  element("notice").hidden = !text;
}

// The answer's JSON; an error of the service is thrown as its own sentence.
async function ask(path, options) {
  const response = await fetch(path, options);
  const body = response.status === 204 || response.status === 304 ? null : await response.json();
  if (response.status >= 400) throw Object.assign(new Error(body.detail), { status: response.status });
  return body;
}

function show(status) {
  element("run").hidden = false;
  element("bar").value = status.progress;
  element("percent").textContent = `${status.progress} %`;
  element("step").textContent = isLive(status) ? status.step : `${status.step} (${status.state})`;
  element("counts").textContent = counts(status);
  element("error").textContent = status.error ?? "";
  element("error").hidden = !status.error;
  element("cancel").hidden = !isLive(status);
}

function counts(status) {
  const of = (done, total) => (total == null ? number(done) : `${number(done)} of ${number(total)}`);
  const parts = [
    `${of(status.pages_done, status.pages_total)} pages`,
    `${number(status.shows_seen)} shows`,
    `${of(status.casts_done, status.casts_total)} casts`,
    `${number(status.requests)} requests`,
  ];
  if (status.retries) parts.push(`${number(status.retries)} retries`);
  if (status.rate_limited) parts.push(`slowed down by TVmaze ${number(status.rate_limited)} times`);
  if (isLive(status) && status.eta_seconds != null) parts.push(`about ${number(status.eta_seconds)} s left`);
  return parts.join(" · ");
}

// Follows a run to its end, also across a lost service.
async function watch(run) {
  if (watched === run) return;
  watched = run;
  let signature = "";
  while (watched === run) {
    try {
      const headers = { previous_signature: signature };
      const answer = await ask(`pipeline/status/${run}?wait=30`, { headers });
      notice("");
      if (!answer) {
        await pause(0.1);
        continue;
      }
      signature = answer.signature;
      show(answer.status);
      if (!isLive(answer.status)) break;
    } catch (error) {
      if (error.status === 404) break;
      notice("The service does not answer; trying again.");
      await pause(2);
    }
  }
  if (watched === run) {
    watched = null;
    await refresh();
  }
}

async function refresh() {
  try {
    const [{ runs }, top] = await Promise.all([ask("pipeline/runs?limit=20"), ask("shows/top_shows")]);
    listRuns(runs);
    listTop(top);
    const live = runs.find((run) => run.running) ?? runs.findLast(isLive);
    if (live) watch(live.request_id);
    else if (runs.length && element("run").hidden) show(runs[0]);
    notice("");
  } catch {
    notice("The service does not answer; trying again.");
    await pause(2);
    return refresh();
  }
}

function listRuns(runs) {
  element("runs").hidden = !runs.length;
  element("runs-empty").hidden = runs.length > 0;
  element("runs").tBodies[0].replaceChildren(...runs.map((run) => {
    const row = document.createElement("tr");
    const started = run.started_at ? new Date(run.started_at).toLocaleString() : "–";
    const ended = run.started_at && run.finished_at;
    const seconds = ended ? (new Date(run.finished_at) - new Date(run.started_at)) / 1000 : null;
    const counts = isLive(run) ? ["…", "…"] : [number(run.shows_seen), number(run.requests)];
    for (const text of [started, run.state, ...counts, seconds ?? "–"]) {
      row.insertCell().textContent = text;
    }
    if (run.error) row.title = run.error;
    return row;
  }));
}

function listTop(shows) {
  element("top-empty").hidden = shows.length > 0;
  element("top").replaceChildren(...shows.map((show) => {
    const item = document.createElement("li");
    item.textContent = `${show.name} (${show.premiered.slice(0, 4)}), ${show.rating ?? "not rated"}`;
    return item;
  }));
}

element("update").addEventListener("submit", async (event) => {
  event.preventDefault();
  const query = new URLSearchParams(new FormData(event.target));
  try {
    const { request_id, message } = await ask(`pipeline/update?${query}`, { method: "POST" });
    await refresh();
    if (watched && watched !== request_id) notice(message);
  } catch (error) {
    notice(error.status ? error.message : "The service does not answer.");
  }
});

element("cancel").addEventListener("click", async () => {
  try {
    await ask(`pipeline/cancel/${watched}`, { method: "POST" });
  } catch (error) {
    notice(error.status ? error.message : "The service does not answer.");
  }
});

refresh();
