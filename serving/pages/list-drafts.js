// What somebody has typed of lists and not sent: kept in this tab over reloads, and for nobody but them.

const PREFIX = "spearfish-list-draft ";
const WHOSE = "spearfish-list-drafts-of";

export const drafts = {
  read: (name) => JSON.parse(sessionStorage.getItem(PREFIX + name) ?? "null"),
  keep: (name, values) => sessionStorage.setItem(PREFIX + name, JSON.stringify(values)),
  forget: (name) => sessionStorage.removeItem(PREFIX + name),
  // Whoever signs in after somebody else begins with nothing.
  of: (person) => {
    if (sessionStorage.getItem(WHOSE) !== person) {
      for (const name of Object.keys(sessionStorage)) if (name.startsWith(PREFIX)) sessionStorage.removeItem(name);
    }
    sessionStorage.setItem(WHOSE, person);
  },
};
