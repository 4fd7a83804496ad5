/** What a member may do in a workspace, by the name that the gateway has for it; only what these pages offer. */
export type WorkspacePermission = 'drift:override' | 'drift:revert' | 'drift:approve' | 'variable:edit';

/** Whether the permission is among those held. The gateway decides: this only leaves out buttons that it would refuse. */
export const may = (held: readonly string[], permission: WorkspacePermission) => held.includes(permission);
