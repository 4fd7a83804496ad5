import { useEffect, useState } from 'react';
import { client } from '../gateway/client';
import type { ExportProgressQuery } from '../gql/graphql';
import { ExportProgress } from './operations';

/** How soon it is asked again how far a download has come, milliseconds; each time a little later. */
const FIRST = 300;
const LAST = 5_000;

/** How far the download of an export has come, until it has come to an end. */
export function useDownload(id: string) {
  const [told, setTold] = useState<ExportProgressQuery['rowExport']>();
  useEffect(() => {
    let isGone = false;
    let timer: ReturnType<typeof setTimeout>;
    async function ask(pause: number) {
      const { data } = await client.query(ExportProgress, { id }, { requestPolicy: 'network-only' }).toPromise();
      if (isGone) return;
      if (data?.rowExport) setTold(data.rowExport);
      if (['COMPLETED', 'FAILED', 'CANCELLED'].includes(data?.rowExport?.status ?? '')) return;
      timer = setTimeout(() => void ask(Math.min(pause * 1.5, LAST)), pause);
    }
    timer = setTimeout(() => void ask(FIRST), FIRST);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [id]);
  return told;
}
