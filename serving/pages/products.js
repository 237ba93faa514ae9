// A product line, chosen among those that opportunities name. Until they are known, or where there are none, it is a
// field like any other, which says so.

import * as api from "./api.js";
import { choice, field } from "./expand-fields.js";
import { number, t } from "./i18n.js";

// any: the words for no line in particular; none where one must be named.
export function productField({ label, value, set, hint, path = "product", any = null }) {
  let typed = value ?? "";
  const take = (text) => set((typed = text));
  const plain = (about) => field({ label, value: typed, set: take, path, hint: about });
  const holder = document.createElement("div");
  holder.replaceChildren(plain(hint));
  api.call("/v1/products").then(({ products }) => show(products), () => {});

  function show(products) {
    const focused = holder.contains(document.activeElement);
    if (!products.length) holder.replaceChildren(plain(t("product_none")));
    else {
      const known = products.map(({ name, customers }) => [name, t("product_option", { name, count: number(customers) })]);
      // What was entered before stays, although no deal names it any more.
      const before = typed && !products.some(({ name }) => name === typed) ? [[typed, typed]] : [];
      holder.replaceChildren(choice({ label, value: typed, set: take, path, hint, options: [["", any ?? t("product_choose")], ...known, ...before] }));
    }
    if (focused) holder.querySelector("input, select").focus();
  }

  return holder;
}
