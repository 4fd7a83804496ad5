DROP TABLE metric_import_rows;
DROP TABLE metric_imports;
