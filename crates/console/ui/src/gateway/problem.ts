import { CombinedError } from '@urql/core';

/** What went wrong, as the gateway tells it. */
export interface Problem {
  /** `extensions.code`, or `OFFLINE` when the gateway was not reached. */
  code: string;
  message: string;
  /** Finds the request in the gateway's log. */
  requestId?: string;
  /** What it is about: an argument, or for `MIXED_UNITS` the column whose values must not be taken together. */
  field?: string;
}

export function problem(error: unknown): Problem {
  if (error instanceof CombinedError) {
    const [first] = error.graphQLErrors;
    if (first) return fromGraphQL(first);
    const status = (error.response as Response | undefined)?.status;
    if (status) return { code: `HTTP_${status}`, message: `The gateway answered ${status}.` };
    return { code: 'OFFLINE', message: 'The gateway cannot be reached.' };
  }
  if (Array.isArray(error) && error[0]) return fromGraphQL(error[0] as Told);
  return { code: 'OFFLINE', message: error instanceof Error ? error.message : 'The gateway cannot be reached.' };
}

interface Told {
  message: string;
  extensions?: Record<string, unknown>;
}

const fromGraphQL = ({ message, extensions }: Told): Problem => {
  const told = (name: string) => (typeof extensions?.[name] === 'string' ? extensions[name] : undefined);
  return { code: told('code') ?? 'UNKNOWN', message, requestId: told('requestId'), field: told('field') };
};
