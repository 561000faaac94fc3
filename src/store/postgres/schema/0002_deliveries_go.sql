-- As version 17 with SQLite: nobody asks any more which failures are of a delivery.

DROP INDEX IF EXISTS failure_by_delivery;
