"""Tables as files that people open in a spreadsheet: CSV and XLSX, read and written. Knows no record."""
