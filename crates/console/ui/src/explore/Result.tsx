import { useMemo } from 'react';
import { problem } from '../gateway/problem';
import { counted } from '../parts/format';
import { Problem } from '../parts/Problem';
import { table } from './answer';
import { AnswerChart } from './AnswerChart';
import { AnswerTable } from './AnswerTable';
import { Behind } from './Behind';
import { Export } from './Export';
import { MixedUnits } from './MixedUnits';
import { operation } from './operation';
import type { Question } from './question';
import type { Subject } from './subject';
import { useAnswer } from './useAnswer';

interface Props {
  question: Question;
  subject: Subject;
  organizationCurrency: string;
  change: (change: Partial<Question>) => void;
}

/** What the gateway answers, as a picture and as a table, and how it was asked. */
export function Result({ question, subject, organizationCurrency, change }: Props) {
  const asked = operation(question, subject);
  const { answer, error, isReading, more, reload } = useAnswer(question, asked);
  const shown = useMemo(
    () =>
      answer?.question.root === subject.root
        ? table(answer.question, subject, answer.nodes, organizationCurrency)
        : undefined,
    [answer, subject, organizationCurrency],
  );
  const isTotal = question.mode === 'groups' && question.keys.length === 0;
  const what = question.mode === 'rows' ? 'row' : 'group';
  const note =
    answer?.total === undefined
      ? ''
      : answer.nodes.length < answer.total
        ? `${answer.nodes.length} of ${counted(answer.total, what)}`
        : counted(answer.total, what);
  return (
    <section className="panel result" aria-labelledby="answer" aria-busy={isReading}>
      <header className="section-head">
        <h2 id="answer">{subject.label}</h2>
        <p className="quiet" role="status">
          {isReading ? 'Asking…' : error != null ? '' : note}
        </p>
      </header>
      {error != null && (
        <>
          <Problem error={error} retry={problem(error).code === 'MIXED_UNITS' ? undefined : reload} />
          <MixedUnits {...{ error, question, subject, change, organizationCurrency }} />
        </>
      )}
      {shown && answer?.nodes.length === 0 && <p className="quiet">There is nothing of this that you may see.</p>}
      {shown && answer && answer.nodes.length > 0 && (
        <>
          {answer.question.mode === 'groups' && answer.question.keys.length > 0 && (
            <AnswerChart table={shown} isWhole={answer.after === undefined} question={question} change={change} />
          )}
          <AnswerTable table={shown} title={`${subject.label}: the numbers`} />
          <p className="actions">
            {answer.after !== undefined && (
              <button className="button" aria-disabled={!more || isReading} onClick={() => more?.()}>
                Load more
              </button>
            )}
            <button className="button small" onClick={reload}>
              Ask again
            </button>
          </p>
        </>
      )}
      {!isTotal && <Export key={JSON.stringify(asked)} {...asked} />}
      <Behind {...asked} />
    </section>
  );
}
