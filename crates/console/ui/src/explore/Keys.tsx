import { Choice } from '../parts/Choice';
import { ColumnSelect } from './ColumnSelect';
import { List } from './List';
import { BUCKETS, MOST_KEYS, type Keyed, type Question } from './question';
import type { Subject } from './subject';

/** By what the rows are put into groups. */
export function Keys({
  question,
  subject: { keys },
  change,
}: {
  question: Question;
  subject: Subject;
  change: (keys: Keyed[]) => void;
}) {
  const find = (path: string) => keys.find((one) => one.path === path);
  const keyed = (path: string, bucket: Keyed['bucket'] = 'MONTH'): Keyed =>
    find(path)?.isTime ? { path, bucket } : { path };
  const isFree = ({ path }: { path: string }) => !question.keys.some((one) => one.path === path);
  // Words of a list make the best groups; one key may be of time.
  const hasTime = question.keys.some(({ bucket }) => bucket);
  const free = keys.filter((key) => isFree(key) && !(hasTime && key.isTime));
  const next = free.find(({ values, relation }) => values && !relation) ?? free.find(({ values }) => values) ?? free[0];
  return (
    <List
      title="Group by"
      one="Key"
      items={question.keys}
      next={next && question.keys.length < MOST_KEYS ? keyed(next.path) : undefined}
      change={change}
      name={({ path }) => find(path)?.label ?? path}
      empty="Nothing: all rows together."
    >
      {({ path, bucket }, replace, place) => (
        <>
          <ColumnSelect
            label={place}
            value={path}
            columns={keys.filter((key) => key.path === path || (isFree(key) && !(key.isTime && hasTime && !bucket)))}
            choose={(path) => replace(keyed(path, bucket))}
          />
          {bucket && (
            <Choice
              label={`${place}, how long a time`}
              value={bucket}
              values={BUCKETS}
              choose={(bucket) => replace({ path, bucket })}
            />
          )}
        </>
      )}
    </List>
  );
}
