import { exploreLink } from '../app/route';
import { client } from '../gateway/client';
import type { Me } from '../gateway/session';
import { Problem } from '../parts/Problem';
import { named } from '../parts/format';
import { Choice } from '../parts/Choice';
import { check } from './check';
import { Columns } from './Columns';
import { Conditions } from './Conditions';
import { Figures } from './Figures';
import { roots, type Root } from './introspection';
import { Keys } from './Keys';
import { Ordering } from './Ordering';
import { OrganizationCurrency } from './operations';
import { read, write, type Mode, type Question } from './question';
import { Result } from './Result';
import { Starters } from './Starters';
import { subject as subjectOf, type Subject } from './subject';
import { usePromised } from './usePromised';
import '../parts/section.css';
import './explore.css';

const MODES: Record<Mode, string> = { groups: 'figures of groups', rows: 'the rows themselves' };

/** Questions for those who do not write GraphQL. All that is asked stands in the address. */
export default function Explore({ me, search }: { me: Me; search: string }) {
  const asked = read(search);
  const known = usePromised('', roots);
  const isThere = known.value?.some(({ name }) => name === asked.root) ?? false;
  const about = usePromised(asked.root, subjectOf, isThere);
  const currency = usePromised(me.sessionId, organizationCurrency).value;
  return (
    <>
      <h1>Explore</h1>
      {known.error != null && <Problem error={known.error} retry={known.again} />}
      {known.value && (
        <>
          {asked.root && !isThere && (
            <p className="notice" role="status">
              The address asks about “{asked.root}”, which is not there to be asked about. Choose something else.
            </p>
          )}
          <div className="explore">
            <div className="panel asking">
              <TypeChoice roots={known.value} root={isThere ? asked.root : ''} />
              {about.value && <Asking subject={about.value} asked={asked} />}
            </div>
            {about.error != null && <Problem error={about.error} retry={about.again} />}
            {about.value && currency !== undefined && (
              <Answered subject={about.value} asked={asked} currency={currency} />
            )}
            {!isThere && <Starters me={me} roots={known.value} />}
          </div>
        </>
      )}
      {((!known.value && known.error == null) || (isThere && !about.value && about.error == null)) && (
        <p className="quiet" role="status">
          Loading…
        </p>
      )}
    </>
  );
}

/** Goes on from a question: what is asked now is another address, and the way back leads to the one before. */
const go = (question: Question) => void (location.hash = exploreLink(write(question)));

function TypeChoice({ roots, root }: { roots: Root[]; root: string }) {
  const names = roots.map(({ name }) => [name, named(name)] as const).sort(([, a], [, b]) => a.localeCompare(b));
  return (
    <label className="field">
      <span>About what</span>
      <select value={root} onChange={(event) => (location.hash = exploreLink(`type=${event.target.value}`))}>
        {!root && <option value="">Choose what to ask about</option>}
        {names.map(([name, label]) => (
          <option key={name} value={name}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}

function Asking({ subject, asked }: { subject: Subject; asked: Question }) {
  const { question } = check(asked, subject);
  const change = (change: Partial<Question>) => go({ ...question, ...change });
  const parts = { question, subject };
  return (
    <>
      <p className="quiet">{subject.description}</p>
      <div className="mode">
        <span aria-hidden="true">Show</span>
        <Choice
          label="Show"
          value={question.mode}
          values={MODES}
          choose={(mode) => change({ mode, order: undefined })}
        />
      </div>
      {question.mode === 'groups' ? (
        <>
          <Keys {...parts} change={(keys) => change({ keys, order: still({ ...question, keys }) })} />
          <Figures {...parts} change={(wanted) => change({ wanted, order: still({ ...question, wanted }) })} />
        </>
      ) : (
        <Columns {...parts} change={(columns) => change({ columns })} />
      )}
      <Conditions {...parts} change={(conditions) => change({ conditions })} />
      <Ordering {...parts} change={change} />
    </>
  );

  /** The order, if what it goes by is still asked for. */
  function still(next: Question) {
    return check(next, subject).question.order;
  }
}

function Answered({ subject, asked, currency }: { subject: Subject; asked: Question; currency: string }) {
  const { question, left } = check(asked, subject);
  return (
    <div className="answered">
      {left.length > 0 && (
        <p className="notice" role="status">
          The address asks for what is not there to be asked for, and was left out: {left.join(', ')}.
        </p>
      )}
      <Result
        key={subject.root}
        question={question}
        subject={subject}
        organizationCurrency={currency}
        change={(change) => go({ ...question, ...change })}
      />
    </div>
  );
}

/** What amounts are in that have no currency of their own; empty where that is not known. */
async function organizationCurrency() {
  const { data } = await client.query(OrganizationCurrency, {}).toPromise();
  return data?.me.user.organization?.settings?.currency ?? '';
}
