// A file of seeds before it is sent: what the service would refuse is said at once.

import { number, t } from "./i18n.js";

// What the service takes.
const MOST_BYTES = 20 * 1_024 * 1_024;
export const ENDINGS = ["csv", "tsv", "txt", "xlsx", "xlsm", "xlsb", "xls", "ods"];

export const fileSize = (bytes) =>
  bytes < 1_048_576 ? t("file_kilobytes", { size: number(Math.max(1, bytes / 1_024)) }) : t("file_megabytes", { size: number(bytes / 1_048_576, bytes % 1_048_576 ? 1 : 0) });

// Why a file cannot be a list of seeds, as the service would say it; null where it may be one.
export function refusal(file) {
  const ending = file.name.split(".").pop().toLowerCase();
  if (file.size > MOST_BYTES) return { status: 413, detail: t("seeds_too_large_text", { name: file.name, size: fileSize(file.size), most: fileSize(MOST_BYTES) }) };
  if (file.size === 0) return { status: 422, detail: t("seeds_empty_file", { name: file.name }) };
  if (!ENDINGS.includes(ending)) return { status: 415, detail: t("seeds_other_file", { name: file.name }) };
  return null;
}

// A form with the file as it is now: one that was changed or moved since it was chosen is told apart from a lost
// connection.
export async function fileOf(file) {
  const content = await file.arrayBuffer().catch(() => {
    throw { status: 422, detail: t("seeds_file_changed", { name: file.name }), errors: [] };
  });
  const form = new FormData();
  form.append("file", new File([content], file.name, { type: file.type }));
  return form;
}
