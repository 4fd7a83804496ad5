import { graphql } from '../gql';

export const OrganizationCurrency = graphql(`
  query OrganizationCurrency {
    me { user { organization { settings { currency } } } }
  }
`);

export const ExportRows = graphql(`
  mutation ExportRows($query: String!, $variables: JSON, $format: RowFormat!) {
    exportRows(query: $query, variables: $variables, format: $format) { id url fileName expiresAt }
  }
`);

export const ExportProgress = graphql(`
  query ExportProgress($id: UUID!) {
    rowExport(id: $id) { status totalRows rowsWritten failure }
  }
`);
