// The words of target account lists, in English and Chinese.

export const words = {
  nav_lists: ["Lists", "名单"],
};
