//! Parameters of statements.

/// A value for a parameter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Param<'a> {
    /// NULL.
    Null,
    /// A number, or a flag: 0 or 1.
    Integer(i64),
    /// A number out of range of every column; the statement fails with an error about data.
    TooLarge,
    /// A text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Numbers, for `IN rarray(?1)`.
    Integers(&'a [i64]),
    /// Texts, for `IN rarray(?1)`.
    Texts(&'a [&'a str]),
}

/// A type that can be passed as a parameter.
pub(in crate::store) trait Bind {
    /// The value.
    fn bind(&self) -> Param<'_>;
}

/// The parameters of a statement, in order.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::store::sql::Bind::bind(&$value)),*]
    };
}
pub(in crate::store) use params;

impl<T: Bind + ?Sized> Bind for &T {
    fn bind(&self) -> Param<'_> {
        (**self).bind()
    }
}

impl<T: Bind> Bind for Option<T> {
    fn bind(&self) -> Param<'_> {
        self.as_ref().map_or(Param::Null, Bind::bind)
    }
}

impl Bind for Param<'_> {
    fn bind(&self) -> Param<'_> {
        *self
    }
}

impl Bind for i64 {
    fn bind(&self) -> Param<'_> {
        Param::Integer(*self)
    }
}

impl Bind for u64 {
    fn bind(&self) -> Param<'_> {
        i64::try_from(*self).map_or(Param::TooLarge, Param::Integer)
    }
}

/// A number of rows: one above the range means all rows.
impl Bind for usize {
    fn bind(&self) -> Param<'_> {
        Param::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

impl Bind for bool {
    fn bind(&self) -> Param<'_> {
        Param::Integer((*self).into())
    }
}

impl Bind for str {
    fn bind(&self) -> Param<'_> {
        Param::Text(self)
    }
}

impl Bind for String {
    fn bind(&self) -> Param<'_> {
        Param::Text(self)
    }
}

impl<const LENGTH: usize> Bind for [u8; LENGTH] {
    fn bind(&self) -> Param<'_> {
        Param::Bytes(self)
    }
}

impl Bind for [i64] {
    fn bind(&self) -> Param<'_> {
        Param::Integers(self)
    }
}

impl Bind for [&str] {
    fn bind(&self) -> Param<'_> {
        Param::Texts(self)
    }
}
