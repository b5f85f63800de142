// Who tests with the core's clock wants the fakes, too.
@_exported public import CompassCoreFakes
