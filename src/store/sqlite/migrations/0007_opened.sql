-- Deliveries of older versions said nothing of the failures that they opened; the
-- failures that are still kept say it.
UPDATE delivery SET new_users = (SELECT count(*) FROM failure WHERE delivery_seq = delivery.seq)
    WHERE new_users = 0 AND outcome = 'accepted';
