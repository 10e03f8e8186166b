import { Report } from "./report";

export * from "./report";

export interface Options {
  /** A container id or a prefix of one, a name, path, device or MAJOR:MINOR. Without it: the latest busy error. */
  id?: string;
}

/**
 * Says who keeps something of a captured host busy.
 *
 * @param bundle what ebusy-collector wrote, a sosreport, any tar or zip with a /proc tree, or pasted text
 * @throws OpenError where nothing of a host is in it
 */
export function analyze(bundle: Uint8Array, options?: Options): Report;

/** Why a bundle cannot be read. */
export class OpenError extends Error {
  /** Stable: `unknown-format`, `empty-input`, `no-proc`, … */
  readonly code: string;
  /** What to do. */
  readonly advice: string;
}
