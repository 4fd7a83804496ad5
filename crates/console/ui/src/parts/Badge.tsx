import type { ReactNode } from 'react';
import type { DriftSeverity, DriftStatus } from '../gql/graphql';
import './badge.css';

export type Tone = 'bad' | 'warn' | 'good' | 'accent' | 'quiet';

/** A short word in a frame; its tone only repeats what the word says. */
export function Badge({ tone = 'quiet', children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`badge ${tone}`}>{children}</span>;
}

const SEVERITY: Record<DriftSeverity, { tone: Tone; word: string }> = {
  HIGH: { tone: 'bad', word: 'High' },
  MEDIUM: { tone: 'warn', word: 'Medium' },
  LOW: { tone: 'quiet', word: 'Low' },
};

export function SeverityBadge({ severity, before }: { severity: DriftSeverity; before?: ReactNode }) {
  const { tone, word } = SEVERITY[severity];
  return (
    <Badge tone={tone}>
      {before}
      {word}
    </Badge>
  );
}

const STATUS: Record<DriftStatus, { tone: Tone; word: string }> = {
  UNRESOLVED: { tone: 'warn', word: 'Unresolved' },
  OVERRIDDEN: { tone: 'accent', word: 'Overridden' },
  REVERTED: { tone: 'quiet', word: 'Reverted' },
  APPROVED: { tone: 'good', word: 'Approved' },
};

export function StatusBadge({ status }: { status: DriftStatus }) {
  const { tone, word } = STATUS[status];
  return <Badge tone={tone}>{word}</Badge>;
}
