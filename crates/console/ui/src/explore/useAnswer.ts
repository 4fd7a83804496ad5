import { useEffect, useState } from 'react';
import { useClient } from 'urql';
import type { Node } from './answer';
import type { Operation } from './operation';
import type { Question } from './question';

/** A question that was sent, with all of the answer that has been read. */
export interface Answer {
  question: Question;
  nodes: Node[];
  /** How many there are on all pages; unknown for all rows together, which are one. */
  total?: number;
  /** Where the next page begins, if there is one. */
  after?: string;
}

interface Page {
  totalCount?: number;
  pageInfo?: { hasNextPage: boolean; endCursor: string | null };
  nodes?: Node[];
  groups?: Page;
  aggregate?: Node;
}

function pageOf(data: Record<string, Page | null>, root: string): Pick<Answer, 'nodes' | 'total' | 'after'> {
  const told = data[root];
  if (told?.aggregate) return { nodes: [told.aggregate] };
  const page = told?.groups ?? told;
  const { hasNextPage, endCursor } = page?.pageInfo ?? { hasNextPage: false, endCursor: null };
  return {
    nodes: page?.nodes ?? [],
    total: page?.totalCount,
    after: hasNextPage ? (endCursor ?? undefined) : undefined,
  };
}

/** What came of a request, which is known by what was asked and how often. */
interface Told {
  id: string;
  answer?: Answer;
  error?: unknown;
}

/** Asks, and asks again when something else is to be known. What was answered before stays in sight until then. */
export function useAnswer(question: Question, { query, variables }: Operation) {
  const reader = useClient();
  const [told, setTold] = useState<Told>();
  const [isReadingOn, setReadingOn] = useState(false);
  const [times, setTimes] = useState(0);
  const id = JSON.stringify([times, query, variables]);

  const ask = async (after?: string) => {
    const { data, error } = await reader
      .query<Record<string, Page | null>>(query, { ...variables, after }, { requestPolicy: 'network-only' })
      .toPromise();
    return { page: data && !error ? pageOf(data, question.root) : undefined, error };
  };

  useEffect(() => {
    let isGone = false;
    void ask().then(({ page, error }) => {
      if (!isGone) setTold({ id, answer: page && { question, ...page }, error });
    });
    return () => void (isGone = true);
    // The id stands for the question, which is a new object each time.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [reader, id]);

  async function readOn({ nodes, after }: Answer) {
    setReadingOn(true);
    const { page, error } = await ask(after);
    setReadingOn(false);
    // Something else may have been asked meanwhile.
    setTold((before) => {
      if (before?.id !== id || before.answer?.after !== after) return before;
      return {
        ...before,
        error,
        answer: page ? { question, ...page, nodes: [...nodes, ...page.nodes] } : before.answer,
      };
    });
  }

  const answer = told?.answer;
  return {
    answer,
    error: told?.id === id ? told.error : undefined,
    isReading: told?.id !== id || isReadingOn,
    more: answer?.after === undefined || told?.id !== id ? undefined : () => void readOn(answer),
    reload: () => setTimes((times) => times + 1),
  };
}
