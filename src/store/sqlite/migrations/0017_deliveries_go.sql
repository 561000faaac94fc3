-- A delivery is removed once it is too old, also where it opened what is still open: nobody asks
-- any more which failures are of a delivery.

DROP INDEX IF EXISTS failure_by_delivery;
