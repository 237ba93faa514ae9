// The words of seeds, expansions and plans, in English and Chinese.

export const words = {
  nav_expand: ["Find lookalikes", "相似客户"],
};
