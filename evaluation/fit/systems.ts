/** Where AIConfigurator keeps its measured kernels (package aiconfigurator-core 0.12.0, Apache-2.0), by GPU family. */
export const FAMILIES = ['h100', 'h200', 'a100', 'l40s', 'b200', 'gb200', 'b300', 'rtx-pro-6000'] as const;
export type Family = (typeof FAMILIES)[number];

/** Folder below `systems/data`, and the version of TensorRT-LLM whose kernels were timed there. */
export const SYSTEMS: Readonly<Record<Family, { readonly folder: string; readonly version: string }>> = {
  h100: { folder: 'h100_sxm', version: '1.3.0rc20' },
  h200: { folder: 'h200_sxm', version: '1.3.0rc20' },
  a100: { folder: 'a100_sxm', version: '1.0.0' },
  l40s: { folder: 'l40s', version: '1.3.0rc20' },
  b200: { folder: 'b200_sxm', version: '1.3.0rc20' },
  gb200: { folder: 'gb200', version: '1.3.0rc20' },
  b300: { folder: 'b300_sxm', version: '1.3.0rc20' },
  'rtx-pro-6000': { folder: 'rtx_pro_6000_server', version: '1.3.0rc20' },
};
