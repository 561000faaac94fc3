//! The interface of the engines to statements: one SQL text for reads and writes.
//!
//! A [`Connection`] runs SQL. Values are passed as [`Param`]s and come out of a [`Row`] as a
//! [`Column`]; rows that are written many at a time are described by a [`Bulk`]. Nothing here, and
//! nothing that uses it, knows which engine there is. An engine has its own way to open a database,
//! transactions and lock, files, schema, and translation of this text.
//!
//! # The text
//!
//! It is the part of SQL that engines share, so that one of them needs only a mechanical
//! translation. The first column is used here:
//!
//! | here | elsewhere | instead of |
//! |---|---|---|
//! | `?1` | `$1` | `?` |
//! | `x IN rarray(?1)` | `x = ANY ($1)` | a list of its own length |
//! | `min(x, y)`, `max(x, y)` of values | `least`, `greatest` | |
//! | `LIKE`, which folds the case of ASCII | `ILIKE` | |
//! | `is_hidden = 0` | | `NOT is_hidden`: a flag is a number, 0 or 1 |
//! | `CASE`, `coalesce` | | `iif`, `ifnull` |
//! | `IS NOT DISTINCT FROM` | | `IS` between values |
//! | `ON CONFLICT` | | `INSERT OR …` |
//! | `CAST(sum(x) AS BIGINT)` | | `sum(x)`, which has no bound |
//! | `CAST(?1 AS TEXT) IS NULL` | | a parameter whose type nothing tells |
//! | `FROM (SELECT …) AS s` | | a subquery without a name |
//! | `state ->> 'name'` | | `'$.name'` |
//!
//! A unary sign before a numeric column (`+number = ?1`) keeps SQLite from using an index, and
//! changes nothing elsewhere; columns of text have none. Texts are compared byte by byte.

mod bulk;
mod cell;
mod connection;
mod param;
mod row;

pub(in crate::store) use bulk::{
    Bulk, Columns, Deed, Field, Kind, added, body, bytes, integer, text,
};
pub(in crate::store) use cell::{Cell, Column, Mismatch};
pub(in crate::store) use connection::{Connection, Put};
pub(in crate::store) use param::{Bind, Param, params};
pub(in crate::store) use row::{Cells, Row};
