// One search by its id: how far it is, how it is cancelled, and what came of it. The id is in the address, so that a
// reload, another tab or another day finds it again.

import * as api from "./api.js";
import { announce, element } from "./dom.js";
import { failure, told, waiting } from "./expand-problem.js";
import { result } from "./expand-result.js";
import { number, t } from "./i18n.js";

const STEPS = ["reading", "learning", "ranking", "explaining"];
const FIRST = 400;
const SLOWEST = 5_000;
const GROWTH = 1.5;
// So long without a step, and it is said that this may be.
const LONG = 60_000;

export function run(main, { id, draft, who }) {
  const ended = new AbortController();
  const path = `/v1/expansions/${encodeURIComponent(id)}`;
  const output = element("section", { class: "output expansion", "aria-label": t("expand_result"), tabindex: "-1" });
  const title = element("h1", {}, t("expand_title"));
  const head = element(
    "div",
    { class: "head choosing" },
    element("div", {}, title, element("p", {}, t("expand_run_lead"))),
    element("a", { class: "quiet button", href: "#/expand" }, t("expand_change")),
  );
  main.replaceChildren(head, output);
  output.replaceChildren(waiting());
  const follow = { wait: FIRST, step: null, since: performance.now(), shown: null, timer: null };

  async function poll() {
    try {
      take(await api.call(path, { signal: ended.signal }));
    } catch (problem) {
      if (problem.name === "AbortError") return;
      lost(told(problem));
    }
  }

  function take(found) {
    follow.shown?.reached?.();
    if (found.state === "queued" || found.state === "running") return goOn(found);
    if (found.state === "done") return show(result({ found, path, draft, who, signal: ended.signal }).node, t("expand_done", { count: number(found.result.accounts) }));
    if (found.state === "cancelled") return show(stopped(), t("expand_cancelled"));
    show(failure(found.problem ?? { errors: [] }, { heading: t("expand_failed"), again: back, words: "expand_change" }), t("expand_failed"));
  }

  function show(node, words) {
    const before = follow.shown;
    follow.shown = null;
    output.replaceChildren(node);
    if (!before) return;
    announce(words);
    output.focus({ preventScroll: true });
  }

  function goOn(found) {
    const step = `${found.state} ${found.steps_done}`;
    if (step !== follow.step) Object.assign(follow, { step, since: performance.now(), wait: FIRST });
    if (!follow.shown) {
      follow.shown = progress({ cancel });
      output.replaceChildren(follow.shown.node);
    }
    follow.shown.tell(found, { long: performance.now() - follow.since > LONG });
    later();
  }

  function later() {
    follow.timer = setTimeout(poll, follow.wait);
    follow.wait = Math.min(follow.wait * GROWTH, SLOWEST);
  }

  // Nothing that is under way here is lost with a connection: it is asked for again.
  function lost(problem) {
    const passing = problem.offline || problem.status >= 500 || problem.status === 429;
    if (passing && follow.shown) {
      follow.shown.unreachable(problem);
      return later();
    }
    follow.shown = null;
    const words = problem.status === 404 ? t("expand_gone") : null;
    output.replaceChildren(failure(problem, { heading: words, again: problem.status === 404 ? back : poll, words: problem.status === 404 ? "expand_change" : "retry" }));
  }

  async function cancel() {
    clearTimeout(follow.timer);
    try {
      take(await api.call(`${path}/cancel`, { method: "POST", signal: ended.signal, headers: { "Idempotency-Key": crypto.randomUUID() } }));
    } catch (problem) {
      if (problem.name === "AbortError") return;
      // It may have ended in the meantime, which the next answer tells.
      if (told(problem).offline) follow.shown?.unreachable(problem);
      follow.wait = FIRST;
      later();
    }
  }

  poll();
  return {
    leave() {
      ended.abort();
      clearTimeout(follow.timer);
    },
  };
}

const back = () => {
  location.hash = "#/expand";
};

function progress({ cancel }) {
  const bar = element("progress", { max: STEPS.length, "aria-labelledby": "progress-title" });
  const steps = Object.fromEntries(STEPS.map((step) => [step, element("li", {}, element("span", { class: "mark", "aria-hidden": "true" }), element("span", {}, t(`step_${step}`)))]));
  const now = element("p", { class: "now", role: "status" });
  const notice = element("p", { class: "notice", role: "status", hidden: true });
  const button = element(
    "button",
    {
      type: "button",
      class: "quiet",
      on: {
        click() {
          button.disabled = true;
          button.textContent = t("expand_cancelling");
          cancel();
        },
      },
    },
    t("expand_cancel"),
  );
  const node = element(
    "div",
    { class: "card running" },
    element("h2", { id: "progress-title" }, t("expand_running")),
    now,
    bar,
    element("ol", { class: "run-steps" }, Object.values(steps)),
    notice,
    element("p", { class: "small" }, t("expand_running_text")),
    button,
  );

  function tell(found, { long }) {
    const at = found.state === "queued" ? -1 : STEPS.indexOf(found.step);
    bar.value = found.steps_done ?? 0;
    bar.max = found.steps || STEPS.length;
    STEPS.forEach((step, place) => {
      steps[step].className = place < at || (at < 0 && place < (found.steps_done ?? 0)) ? "done" : place === at ? "current" : "";
      if (place === at) steps[step].setAttribute("aria-current", "step");
      else steps[step].removeAttribute("aria-current");
    });
    // The last step takes several parts, and ends after them.
    const step = Math.min((found.steps_done ?? 0) + 1, bar.max);
    const words = found.state === "queued" ? t("expand_queued") : at < 0 ? t("expand_between") : t("expand_at", { step: t(`step_${found.step}`), done: number(step), steps: number(bar.max) });
    // What has not changed is not read out again.
    if (now.textContent !== words) now.textContent = words;
    notice.hidden = !long;
    if (long && notice.textContent !== t("expand_long")) notice.textContent = t("expand_long");
  }

  function unreachable(problem) {
    notice.hidden = false;
    notice.textContent = problem.offline ? t("expand_unreachable") : problem.detail || t("expand_unreachable");
  }

  return { node, tell, unreachable, reached: () => (notice.hidden = true) };
}

function stopped() {
  return element(
    "div",
    { class: "card empty" },
    element("h2", {}, t("expand_cancelled")),
    element("p", {}, t("expand_cancelled_text")),
    element("a", { class: "quiet button", href: "#/expand" }, t("expand_change")),
  );
}
