import { useState } from 'react';
import { client } from '../gateway/client';
import type { ExportRowsMutation, RowFormat } from '../gql/graphql';
import { Choice } from '../parts/Choice';
import { exact, when } from '../parts/format';
import { Problem } from '../parts/Problem';
import type { Operation } from './operation';
import { ExportRows } from './operations';
import { useDownload } from './useDownload';

type Exported = ExportRowsMutation['exportRows'];

const FORMATS: Record<RowFormat, string> = { CSV: 'CSV', JSON_LINES: 'JSON Lines', PARQUET: 'Parquet' };

/** Writes the whole answer, beyond the page that is shown, into a file. */
export function Export({ query, variables }: Operation) {
  const [format, setFormat] = useState<RowFormat>('CSV');
  const [busy, setBusy] = useState(false);
  const [exported, setExported] = useState<Exported | null>(null);
  const [error, setError] = useState<unknown>(null);

  async function send() {
    if (busy) return;
    setBusy(true);
    const { data, error } = await client.mutation(ExportRows, { query, variables, format }).toPromise();
    setBusy(false);
    setError(error ?? null);
    setExported(error ? null : (data?.exportRows ?? null));
    if (data && !error) download(data.exportRows);
  }

  return (
    <div className="export">
      <p className="actions">
        <Choice label="Format of the file" value={format} values={FORMATS} choose={setFormat} />
        <button className="button small" aria-disabled={busy} onClick={() => void send()}>
          Export all of it
        </button>
        {exported && (
          <a href={exported.url} download={exported.fileName}>
            {exported.fileName}
          </a>
        )}
      </p>
      {error !== null && <Problem error={error} />}
      {exported && <Progress key={exported.id} exported={exported} />}
    </div>
  );
}

/** How far the file has come, as the gateway tells it: whether a download has failed the browser does not tell the page. */
function Progress({ exported: { id, expiresAt } }: { exported: Exported }) {
  const told = useDownload(id);
  const [written, total] = [told?.rowsWritten ?? '0', told?.totalRows];
  return (
    <>
      <p className="quiet" role="status">
        {told?.status === 'RUNNING' &&
          `${exact(written)}${total == null ? '' : ` of ${exact(total)}`} rows are written.`}
        {told?.status === 'COMPLETED' && `All ${exact(written)} rows are in the file. `}
        {told?.status === 'CANCELLED' && 'The download was cancelled. '}
        {told?.status !== 'RUNNING' && `It can be downloaded until ${when(expiresAt)}.`}
      </p>
      {told?.status === 'FAILED' && (
        <p className="problem" role="alert">
          <strong>{told.failure ?? 'The file could not be written.'}</strong>
        </p>
      )}
    </>
  );
}

function download({ url, fileName }: Exported) {
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
}
