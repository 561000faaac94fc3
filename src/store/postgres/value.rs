//! Encodes and decodes values in the server's binary format.

use std::{borrow::Cow, error::Error, fmt, sync::Arc};

use bytes::BytesMut;
use tokio_postgres::{
    Row,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

use crate::domain::replace_nul;
use crate::store::{
    SqlError, SqlErrorKind,
    sql::{Cell, Cells, Param},
};

/// The type of a parameter. A null leaves its type to the statement.
pub(super) fn type_of(param: &Param<'_>) -> Type {
    match param {
        Param::Null => Type::UNKNOWN,
        Param::Integer(_) | Param::TooLarge => Type::INT8,
        Param::Text(_) => Type::TEXT,
        Param::Bytes(_) => Type::BYTEA,
        Param::Integers(_) => Type::INT8_ARRAY,
        Param::Texts(_) => Type::TEXT_ARRAY,
    }
}

/// A text in the form that PostgreSQL can store, without NUL characters.
pub(in crate::store) fn text(text: &str) -> Cow<'_, str> {
    replace_nul(text)
}

/// Why a value cannot be encoded or decoded.
type Refused = Box<dyn Error + Sync + Send>;

/// A parameter to send.
pub(super) struct Sent<'a>(pub(super) Param<'a>);

/// Leaves out the value: it may be about a person.
impl fmt::Debug for Sent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(type_of(&self.0).name())
    }
}

impl ToSql for Sent<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Refused> {
        match self.0 {
            Param::Null => Ok(IsNull::Yes),
            Param::Integer(number) => number.to_sql(&Type::INT8, out),
            Param::TooLarge => Err("a number is out of range".into()),
            Param::Text(value) => text(value).to_sql(&Type::TEXT, out),
            Param::Bytes(bytes) => bytes.to_sql(&Type::BYTEA, out),
            Param::Integers(numbers) => numbers.to_sql(&Type::INT8_ARRAY, out),
            Param::Texts(texts) => {
                let texts: Vec<_> = texts.iter().map(|value| text(value)).collect();
                texts.to_sql(&Type::TEXT_ARRAY, out)
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A parameter that outlives the value it was created from.
#[derive(Clone)]
pub(super) enum Owned {
    Null,
    Integer(i64),
    TooLarge,
    Text(String),
    Bytes(Vec<u8>),
    Integers(Arc<[i64]>),
    Texts(Arc<[String]>),
}

impl Owned {
    pub(super) fn of(param: &Param<'_>) -> Self {
        match *param {
            Param::Null => Self::Null,
            Param::Integer(number) => Self::Integer(number),
            Param::TooLarge => Self::TooLarge,
            Param::Text(text) => Self::Text(text.to_owned()),
            Param::Bytes(bytes) => Self::Bytes(bytes.to_owned()),
            Param::Integers(numbers) => Self::Integers(numbers.into()),
            Param::Texts(texts) => Self::Texts(texts.iter().copied().map(str::to_owned).collect()),
        }
    }

    /// Passes the value on as it was given.
    fn with<T>(&self, take: impl FnOnce(Param<'_>) -> T) -> T {
        match self {
            Self::Null => take(Param::Null),
            Self::Integer(number) => take(Param::Integer(*number)),
            Self::TooLarge => take(Param::TooLarge),
            Self::Text(text) => take(Param::Text(text)),
            Self::Bytes(bytes) => take(Param::Bytes(bytes)),
            Self::Integers(numbers) => take(Param::Integers(numbers)),
            Self::Texts(texts) => {
                let texts: Vec<_> = texts.iter().map(String::as_str).collect();
                take(Param::Texts(&texts))
            }
        }
    }

    /// Whether it equals this value.
    pub(super) fn equals(&self, param: &Param<'_>) -> bool {
        self.with(|own| own == *param)
    }

    /// The value with the type as which it is sent.
    pub(super) fn into_typed(self) -> (Self, Type) {
        let kind = self.kind();
        (self, kind)
    }

    fn kind(&self) -> Type {
        self.with(|own| type_of(&own))
    }
}

/// Leaves out the value: it may be about a person.
impl fmt::Debug for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().name())
    }
}

impl ToSql for Owned {
    fn to_sql(&self, as_type: &Type, out: &mut BytesMut) -> Result<IsNull, Refused> {
        self.with(|own| Sent(own).to_sql(as_type, out))
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A received value.
struct Received<'a> {
    kind: Type,
    bytes: &'a [u8],
}

impl<'a> FromSql<'a> for Received<'a> {
    fn from_sql(kind: &Type, bytes: &'a [u8]) -> Result<Self, Refused> {
        Ok(Self { kind: kind.clone(), bytes })
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl<'a> Received<'a> {
    fn cell(&self) -> Result<Cell<'a>, Refused> {
        let (kind, bytes) = (&self.kind, self.bytes);
        Ok(match *kind {
            Type::INT8 => Cell::Integer(i64::from_sql(kind, bytes)?),
            Type::INT4 => Cell::Integer(i32::from_sql(kind, bytes)?.into()),
            Type::INT2 => Cell::Integer(i16::from_sql(kind, bytes)?.into()),
            Type::BOOL => Cell::Integer(bool::from_sql(kind, bytes)?.into()),
            Type::FLOAT8 => Cell::Real(f64::from_sql(kind, bytes)?),
            Type::BYTEA => Cell::Bytes(bytes),
            // Types whose binary form is their text: text, json, name …
            _ => Cell::Text(bytes),
        })
    }
}

impl Cells for Row {
    fn cell(&self, column: usize) -> Result<Cell<'_>, SqlError> {
        let failed =
            |text: &dyn ToString| SqlError::new(SqlErrorKind::UnreadableRow, &text.to_string());
        let received: Option<Received<'_>> =
            self.try_get(column).map_err(|error| failed(&error))?;
        received.map_or(Ok(Cell::Null), |received| received.cell().map_err(|error| failed(&error)))
    }

    fn name(&self, column: usize) -> &str {
        self.columns().get(column).map_or("", |column| column.name())
    }
}
