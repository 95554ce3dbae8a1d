import { isInstalled } from './cores.ts';
import { createAutocannonLoad } from './load/autocannon.ts';
import { createWrkLoad } from './load/wrk.ts';

/** Requests over connections that are kept alive, sent in turn from a process on another core than the server. */
export interface Load {
  run(seconds: number): Promise<LoadResult>;
}

export interface LoadOptions {
  address: string;
  /** Sent in turn, and from the first one again. */
  requests: readonly LoadRequest[];
  connections: number;
  /** Where each may be sent once: a run that has sent them all fails. */
  once?: boolean;
}

export interface LoadRequest {
  method?: 'GET' | 'POST';
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

export interface LoadResult {
  /** Answers, whatever their status. */
  requests: number;
  seconds: number;
  /** Answers of status 400 and above, and connections that broke. */
  failures: number;
  latencyMs: { median: number; p99: number };
}

export const loadGenerator = isInstalled('wrk') ? 'wrk' : 'autocannon';

export function createLoad(options: LoadOptions): Load {
  const load = loadGenerator === 'wrk' ? createWrkLoad(options) : createAutocannonLoad(options);
  return {
    async run(seconds) {
      const { sent, ...result } = await load(seconds);
      if (options.once && sent > options.requests.length) {
        throw new Error(
          `${sent} requests were sent in ${seconds} s, and only ${options.requests.length} made.`,
        );
      }
      return result;
    },
  };
}
