// The views of an expansion: what to search from and for (#/expand), and one search by its id (#/expand/ID): its
// progress, its result, and the list that is made of it (#/expand/ID/save). #/expand?list=7 searches for list 7.

import { ask } from "./expand-ask.js";
import { draft, keep } from "./expand-kept.js";
import { run } from "./expand-run.js";
import { save } from "./expand-save.js";

let shown = null;

export function show(main, state) {
  shown?.leave?.();
  const [, , id, step] = location.hash.split("?")[0].split("/");
  const given = { who: state.who, draft: draft(state.who) };
  const list = Number(new URLSearchParams(location.hash.split("?")[1] ?? "").get("list"));
  if (list) {
    Object.assign(given.draft.save, { way: "existing", list_id: list });
    keep();
  }
  if (id && step === "save") shown = save(main, { id: decodeURIComponent(id), ...given });
  else if (id) shown = run(main, { id: decodeURIComponent(id), ...given });
  else shown = ask(main, given);
}

// What still asks the service is ended when another view is shown.
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#/expand")) return;
  shown?.leave?.();
  shown = null;
});
