// The words of the shell and of scores, in English and Chinese; lists and expansions bring their own. Sentences
// about an account come from the service.

import { words as wordsOfExpansions } from "./words-expand.js";
import { words as wordsOfLists } from "./words-lists.js";

const words = {
  ...wordsOfExpansions,
  ...wordsOfLists,
  skip: ["Skip to the content", "跳到正文"],
  footer: ["Every probability follows from the sums shown here, to the last bit.", "每个概率都可由此处所列各项之和逐位推得。"],
  docs: ["API document", "接口文档"],
  views: ["Views", "视图"],
  language: ["Language", "语言"],
  nav_score: ["Score an account", "客户评分"],
  data_through: ["Data through {date}", "数据截至 {date}"],
  release: ["release {id}", "发布 {id}"],
  accounts: ["{count} accounts", "{count} 个客户"],
  account: ["Who is signed in", "当前登录者"],
  key_needed: ["Nobody is signed in", "尚未登录"],
  key_title: ["This service asks who you are", "本服务需要确认您的身份"],
  key_with: ["Or use an API key", "或使用 API 密钥"],
  not_signed_in: ["Nobody is signed in in this browser.", "此浏览器中尚无人登录。"],
  session_ended: [
    "Your session has ended: it was signed out, it expired, or whoever runs the service ended it.",
    "您的会话已结束：已退出、已过期，或已被服务管理员终止。",
  ],
  link_title: ["Sign in by a link", "通过链接登录"],
  link_lead: [
    "Open the link that you were given: it signs you in once, in this browser. Whoever runs the service makes one with: spearfish users invite NAME --role viewer",
    "请打开您收到的链接：它可在此浏览器中为您登录一次。服务管理员可用以下命令创建：spearfish users invite 姓名 --role viewer",
  ],
  link_working: ["Signing in…", "正在登录…"],
  link_refused: ["This link does not sign you in", "此链接无法登录"],
  "used-link": ["It was used before. A link signs in once, whoever opens it first.", "该链接已被使用。每个链接只能由最先打开者登录一次。"],
  "withdrawn-link": ["It was withdrawn: there is a newer one, or you were disabled.", "该链接已撤回：已有更新的链接，或您的账户已停用。"],
  "expired-link": ["It has expired: a link waits for a limited time.", "该链接已过期：链接仅在限定时间内有效。"],
  "unknown-link": ["There is no such link here. Was it copied whole?", "此处没有该链接。是否已完整复制？"],
  link_ask: [
    "Ask whoever runs the service for another one: spearfish users link NAME",
    "请向服务管理员索取新链接：spearfish users link 姓名",
  ],
  link_still: ["You are signed in as {name} in this browser.", "您在此浏览器中以 {name} 的身份登录。"],
  link_continue: ["Go on to the page", "继续"],
  link_back: ["Other ways to sign in", "其他登录方式"],
  signed_in_as: ["Signed in as {name}", "已登录：{name}"],
  signed_out: ["Signed out", "已退出"],
  sign_out: ["Sign out", "退出"],
  viewer: ["viewer", "查看者"],
  approver: ["approver", "审批者"],
  role_of_side: ["{role}, {side}", "{role}（{side}）"],
  side_marketing: ["marketing", "市场"],
  side_sales: ["sales", "销售"],
  key_lead: [
    "Whoever runs it makes one with: spearfish keys create NAME --scope score",
    "服务管理员可用以下命令创建：spearfish keys create 名称 --scope score",
  ],
  key_label: ["API key", "API 密钥"],
  key_hint: ["It stays in this tab, and is forgotten when the tab is closed or loaded again.", "密钥仅保留在此标签页中，关闭或刷新后即被清除。"],
  key_use: ["Open", "打开"],
  not_ready: ["The service is not ready", "服务尚未就绪"],
  nav_profile: ["Ideal customer", "理想客户"],
  profile_title: ["Ideal customer profile", "理想客户画像"],
  profile_lead: [
    "What sets the accounts you win apart: found on earlier accounts, and kept only where it held on later ones.",
    "您赢得的客户有何不同：在早期客户中发现，且在后期客户中得到证实的特征。",
  ],
  profile_model: ["Profile of", "画像对象"],
  profile_everyone: ["All accounts", "全部客户"],
  profile_of_model: ["{name}: {about}", "{name}：{about}"],
  profile_done: ["Traits: {count}", "{count} 个特征"],
  profile_base: ["{rate} of {count} later accounts were won", "后期 {count} 个客户中赢得 {rate}"],
  profile_base_interval: ["95 % interval {low} to {high}; every trait is held against this share", "95% 区间 {low} 至 {high}；各特征均与此比例比较"],
  profile_found: ["Found on", "发现于"],
  profile_found_on: ["{count} earlier accounts", "{count} 个早期客户"],
  profile_checked: ["Checked on", "检验于"],
  profile_checked_on: ["{count} accounts from {date} on", "{date} 起的 {count} 个客户"],
  profile_until: ["Learned up to", "学习截至"],
  profile_for: ["Won more often", "更常赢得"],
  profile_against: ["Rarely won", "很少赢得"],
  profile_scale: [
    "Bar: share won. Line: 95 % interval. Mark: {rate}, the share of all.",
    "条形：赢单率。横线：95% 区间。标记：全部客户的 {rate}。",
  ],
  profile_of: ["of {count}", "（{count} 个客户）"],
  profile_interval: [
    "95 % interval {low} to {high} · {earlier} of {count} when it was found",
    "95% 区间 {low} 至 {high} · 发现时 {count} 个客户中为 {earlier}",
  ],
  profile_stated: ["What sales says, held against the data", "销售所述与数据的对照"],
  profile_none_stated: [
    "Sales has not stated a profile yet. Add [[profile.stated]] to the configuration, train and promote, and see where the data agree.",
    "销售尚未陈述画像。请在配置中添加 [[profile.stated]]，重新训练并发布，即可查看数据是否支持。",
  ],
  profile_missed: ["Learned, and not stated by sales: {traits}", "数据得出而销售未提及：{traits}"],
  profile_none: ["No trait to tell", "没有可列出的特征"],
  profile_how: ["How to read this", "如何解读"],
  profile_how_text: [
    "{count} candidates were found on earlier accounts and checked on later ones, each account counted once. A trait is told only where its difference is beyond chance, adjusted for all that were checked, and each of its conditions adds to the others. Intervals are widened for having been picked.",
    "在早期客户中找到 {count} 个候选特征，并在后期客户上检验，每个客户只计一次。仅当差异超出偶然（已按检验总数校正）且每个条件都有所贡献时才列出。区间已因筛选而放宽。",
  ],
  profile_cause: [
    "A profile says what goes together with winning, not what causes it.",
    "画像说明哪些特征与赢单相伴，并非赢单的原因。",
  ],
  verdict_agrees: ["Data agree", "数据支持"],
  verdict_conflicts: ["Data conflict", "数据相悖"],
  verdict_no_evidence: ["No evidence", "证据不足"],
  title: ["Score an account", "客户评分"],
  lead: [
    "How well an account fits, how likely it is to buy, and why.",
    "客户有多契合、购买可能性多大，以及原因。",
  ],
  how: ["How to name the account", "如何指定客户"],
  known: ["Known account", "已有客户"],
  by_hand: ["By hand", "手工录入"],
  who: ["Account id or web domain", "客户编号或网站域名"],
  who_hint: ["For example {example}", "例如 {example}"],
  try: ["Try", "试试"],
  as_of: ["As of", "评分时点"],
  as_of_hint: [
    "Start of this day, UTC. Empty: today. Only what was known before counts.",
    "当日零点（UTC）。留空表示今天。只使用此前已知的信息。",
  ],
  end_of_data: ["End of the data", "数据末尾"],
  submit: ["Score", "评分"],
  working: ["Scoring…", "评分中…"],
  company: ["Company", "公司"],
  name: ["Name", "名称"],
  industry: ["Industry", "行业"],
  country: ["Country", "国家"],
  employees: ["Employees", "员工数"],
  annual_revenue: ["Annual revenue", "年收入"],
  founded_year: ["Founded in", "成立年份"],
  technologies: ["Technologies", "使用的技术"],
  technologies_hint: ["Separated by commas", "以逗号分隔"],
  more_fields: ["More fields", "更多字段"],
  yes: ["Yes", "是"],
  no: ["No", "否"],
  unknown: ["Not known", "未知"],
  activities: ["Activities", "活动"],
  no_activities: ["None yet. Intent needs some.", "暂无。意向评分需要活动数据。"],
  activity: ["Activity {number}", "活动 {number}"],
  add_activity: ["Add an activity", "添加活动"],
  remove: ["Remove activity {number}", "移除活动 {number}"],
  channel: ["Channel", "渠道"],
  direction: ["Direction", "方向"],
  inbound: ["From them", "对方"],
  outbound: ["From us", "我方"],
  mutual: ["Two-way", "双向"],
  day: ["Day", "日期"],
  minutes: ["Minutes", "分钟"],
  fill_example: ["Fill in an example", "填入示例"],
  empty_title: ["Whom are you wondering about?", "想了解哪位客户？"],
  empty_text: [
    "Name an account, or describe one by hand. You get two scores, each with the reasons that add up to it.",
    "指定一个客户，或手工描述一个。您将得到两项评分，以及构成评分的各项原因。",
  ],
  empty_fit: ["Fit", "契合度"],
  empty_fit_text: ["Does the company look like the ones you win?", "该公司是否像您赢得的客户？"],
  empty_intent: ["Intent", "意向"],
  empty_intent_text: ["Does its behaviour say that it is about to move?", "其行为是否预示即将行动？"],
  empty_next: ["What to do", "下一步"],
  empty_next_text: ["Both grades together decide who works on it.", "两项等级共同决定由谁跟进。"],
  fit: ["ICP fit", "ICP 契合度"],
  intent: ["Buying intent", "购买意向"],
  grade: ["Grade {grade}", "等级 {grade}"],
  score: ["Score", "评分"],
  out_of: ["Score {score} of 100", "评分 {score}（满分 100）"],
  probability: ["Probability", "概率"],
  interval: [
    "{low} to {high} among accounts scored like this one ({level} confidence)",
    "评分相近的客户：{low} 至 {high}（置信水平 {level}）",
  ],
  within: ["within {days} days", "{days} 天内"],
  better_than: ["Above {score} % of the reference population", "高于参照人群的 {score}%"],
  reasons: ["Reasons", "原因"],
  no_reasons: ["Nothing speaks for or against.", "没有支持或反对的因素。"],
  for: ["Speaks for", "支持"],
  against: ["Speaks against", "反对"],
  parts: ["Made of {count} features", "由 {count} 项特征构成"],
  part_feature: ["Feature", "特征"],
  part_value: ["Value", "取值"],
  part_share: ["Log-odds", "对数几率"],
  share: ["{value} log-odds", "{value} 对数几率"],
  how_it_adds_up: ["How it adds up", "如何相加"],
  baseline: ["Baseline", "基线"],
  shown: ["Reasons shown", "所列原因"],
  other: ["All others", "其他"],
  logit: ["Log-odds", "对数几率"],
  unavailable: ["No score", "无评分"],
  fire: ["FIRE", "FIRE"],
  fire_fit: ["Fit", "契合"],
  fire_intent: ["Intent", "意向"],
  fire_recency: ["Recency and relationship", "近期与关系"],
  fire_engagement: ["Engagement", "互动"],
  none: ["none", "无"],
  engaged_ago: ["Last engaged {days} days ago", "最近互动于 {days} 天前"],
  engaged_never: ["No engagement in 180 days", "180 天内无互动"],
  won_lost: ["{wins} won, {losses} lost before", "此前赢单 {wins}，丢单 {losses}"],
  minutes_90: ["{minutes} minutes in 90 days", "90 天内 {minutes} 分钟"],
  priority: ["Next step", "下一步"],
  "sales now": ["Sales, now", "立即交销售"],
  sales: ["Sales", "交销售"],
  nurture: ["Nurture", "培育"],
  watch: ["Watch", "观察"],
  "do not pursue": ["Do not pursue", "不跟进"],
  scored_as_of: ["As of", "评分时点"],
  data: ["Data through", "数据截至"],
  unnamed: ["Account described by hand", "手工描述的客户"],
  model: ["Model {name} {version}", "模型 {name} {version}"],
  raw: ["Answer as JSON", "JSON 答案"],
  copy: ["Copy", "复制"],
  copied: ["Copied", "已复制"],
  copy_failed: ["Could not copy", "复制失败"],
  error_offline: ["The service does not answer", "服务无响应"],
  error_offline_text: ["Is it still running? Start it again with: spearfish serve", "服务是否仍在运行？可用 spearfish serve 重新启动"],
  error_404: ["No such account", "没有该客户"],
  error_404_text: ["Check the spelling, or describe the account by hand.", "请检查拼写，或手工描述该客户。"],
  error_409: ["Several accounts share this domain", "多个客户共用该域名"],
  error_409_text: ["Choose one of them.", "请选择其中之一。"],
  error_422: ["Something in the form is not right", "表单中有误"],
  error_503: ["Not ready yet", "尚未就绪"],
  error_other: ["That did not work", "操作失败"],
  retry: ["Try again", "重试"],
  request_id: ["Request {id}", "请求 {id}"],
  fill_who: ["Enter an account id or a domain.", "请输入客户编号或域名。"],
  done: ["{name}: fit {fit}, intent {intent}", "{name}：契合度 {fit}，意向 {intent}"],
};

const STORED = "spearfish-language";
let current = localStorage.getItem(STORED) ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

export const language = () => current;

export function setLanguage(chosen) {
  current = chosen;
  localStorage.setItem(STORED, chosen);
  apply();
}

export function t(key, values = {}) {
  const [english, chinese] = words[key] ?? [key, key];
  const text = current === "zh" ? chinese : english;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export function apply() {
  document.documentElement.lang = current === "zh" ? "zh-Hans" : "en";
  for (const node of document.querySelectorAll("[data-i18n]")) node.textContent = t(node.dataset.i18n);
  document.getElementById("nav").setAttribute("aria-label", t("views"));
  document.querySelector(".languages").setAttribute("aria-label", t("language"));
  document.getElementById("account").setAttribute("aria-label", t("account"));
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === current));
  }
}

const locale = () => (current === "zh" ? "zh-CN" : "en-GB");

export const number = (value, digits = 0) =>
  new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

export const percent = (value) => {
  // Nothing and all are exact.
  const digits = value === 0 || value === 1 ? 0 : value < 0.0995 || value > 0.9 ? 1 : 0;
  const shown = new Intl.NumberFormat(locale(), { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits });
  return shown.format(value);
};

export const signed = (value, digits = 2) => {
  const text = number(Math.abs(value), digits);
  // What rounds to nothing is not below it.
  return `${Number(value.toFixed(digits)) < 0 ? "−" : "+"}${text}`;
};

export const moment = (iso) => {
  const atMidnight = iso.endsWith("T00:00:00Z");
  const options = { dateStyle: "medium", timeStyle: atMidnight ? undefined : "short", timeZone: "UTC" };
  return new Intl.DateTimeFormat(locale(), options).format(new Date(iso)) + (atMidnight ? "" : " UTC");
};

export const day = (iso) => new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeZone: "UTC" }).format(new Date(iso));
