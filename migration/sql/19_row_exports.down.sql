DROP TABLE row_exports;
DROP TYPE row_export_status;
DROP TYPE row_format;
