//! Values in rows, and their conversion.

/// A value in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::store) enum Cell<'a> {
    /// NULL.
    Null,
    /// A number, or a flag: 0 or 1.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// A text, in UTF-8 unless it is damaged.
    Text(&'a [u8]),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl Cell<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Integer(_) => "an integer",
            Self::Real(_) => "a fraction",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
        }
    }
}

/// Why a value is not as expected. It never contains the value, which may be about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::store) enum Mismatch {
    /// It has another type.
    #[error("{0} stands where something else is expected")]
    Type(&'static str),
    /// A number out of range.
    #[error("a number is out of range")]
    Range,
    /// A text that is not UTF-8.
    #[error("a text is not UTF-8")]
    Text,
    /// Bytes of another length.
    #[error("bytes have another length than expected")]
    Length,
}

/// A type that can be read from a value.
pub(in crate::store) trait Column<'a>: Sized {
    /// Converts the value.
    fn read(cell: Cell<'a>) -> Result<Self, Mismatch>;
}

/// The unconverted value.
impl<'a> Column<'a> for Cell<'a> {
    fn read(cell: Cell<'a>) -> Result<Self, Mismatch> {
        Ok(cell)
    }
}

impl Column<'_> for i64 {
    fn read(cell: Cell<'_>) -> Result<Self, Mismatch> {
        match cell {
            Cell::Integer(number) => Ok(number),
            other => Err(Mismatch::Type(other.name())),
        }
    }
}

impl Column<'_> for u64 {
    fn read(cell: Cell<'_>) -> Result<Self, Mismatch> {
        Self::try_from(i64::read(cell)?).map_err(|_| Mismatch::Range)
    }
}

impl Column<'_> for usize {
    fn read(cell: Cell<'_>) -> Result<Self, Mismatch> {
        Self::try_from(i64::read(cell)?).map_err(|_| Mismatch::Range)
    }
}

impl Column<'_> for u16 {
    fn read(cell: Cell<'_>) -> Result<Self, Mismatch> {
        Self::try_from(i64::read(cell)?).map_err(|_| Mismatch::Range)
    }
}

impl Column<'_> for bool {
    fn read(cell: Cell<'_>) -> Result<Self, Mismatch> {
        Ok(i64::read(cell)? != 0)
    }
}

impl<'a> Column<'a> for &'a str {
    fn read(cell: Cell<'a>) -> Result<Self, Mismatch> {
        match cell {
            Cell::Text(bytes) => std::str::from_utf8(bytes).map_err(|_| Mismatch::Text),
            other => Err(Mismatch::Type(other.name())),
        }
    }
}

impl Column<'_> for String {
    fn read(cell: Cell<'_>) -> Result<Self, Mismatch> {
        <&str>::read(cell).map(str::to_owned)
    }
}

/// The bytes of a text, too: bytes that people can read are stored as text.
impl<'a> Column<'a> for &'a [u8] {
    fn read(cell: Cell<'a>) -> Result<Self, Mismatch> {
        match cell {
            Cell::Text(bytes) | Cell::Bytes(bytes) => Ok(bytes),
            other => Err(Mismatch::Type(other.name())),
        }
    }
}

impl<const LENGTH: usize> Column<'_> for [u8; LENGTH] {
    fn read(cell: Cell<'_>) -> Result<Self, Mismatch> {
        match cell {
            Cell::Bytes(bytes) => bytes.try_into().map_err(|_| Mismatch::Length),
            other => Err(Mismatch::Type(other.name())),
        }
    }
}

impl<'a, T: Column<'a>> Column<'a> for Option<T> {
    fn read(cell: Cell<'a>) -> Result<Self, Mismatch> {
        match cell {
            Cell::Null => Ok(None),
            cell => T::read(cell).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_what_it_is_and_refused_as_anything_else() {
        assert_eq!(i64::read(Cell::Integer(-3)), Ok(-3));
        assert_eq!(u64::read(Cell::Integer(-3)), Err(Mismatch::Range));
        assert_eq!(u16::read(Cell::Integer(65_536)), Err(Mismatch::Range));
        assert_eq!(bool::read(Cell::Integer(1)), Ok(true));
        assert_eq!(i64::read(Cell::Null), Err(Mismatch::Type("NULL")));
        assert_eq!(i64::read(Cell::Real(1.0)), Err(Mismatch::Type("a fraction")));
        assert_eq!(Option::<i64>::read(Cell::Null), Ok(None));
        assert_eq!(<&str>::read(Cell::Text(b"text")), Ok("text"));
        assert_eq!(<&str>::read(Cell::Text(b"\xff")), Err(Mismatch::Text));
        assert_eq!(String::read(Cell::Bytes(b"text")), Err(Mismatch::Type("bytes")));
        assert_eq!(<&[u8]>::read(Cell::Text(b"\xff")), Ok(&b"\xff"[..]));
        assert_eq!(<[u8; 2]>::read(Cell::Bytes(b"ab")), Ok(*b"ab"));
        assert_eq!(<[u8; 2]>::read(Cell::Bytes(b"abc")), Err(Mismatch::Length));
    }
}
