//! Enumerations of Meta's: a list of known words, and room for the next one.

/// Declares an enumeration whose values are words. A new word is not an error: it becomes `Other`.
///
/// Case does not matter when a word is read, because Meta's pages spell some words both ways. After `|` follow
/// other spellings that are read but never written.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($(#[doc = $about:literal])* $variant:ident = $word:literal $(| $spelling:literal)*,)+
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("`", $word, "`")]
                $(#[doc = $about])*
                $variant,
            )+
            /// A word that this version does not know, as it was sent.
            Other(String),
        }

        impl $name {
            /// Every word that this version knows, as it is written.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// What each of [`Self::WORDS`] stands for.
            #[cfg(feature = "schema")]
            pub(crate) const ABOUT: &'static [&'static str] = &[$(concat!($($about),*)),+];

            /// The word itself.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                $(if word.eq_ignore_ascii_case($word) $(|| word.eq_ignore_ascii_case($spelling))* {
                    return Self::$variant;
                })+
                Self::Other(word.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::model::shape::Shape for $name {
            fn read(value: &serde_json::Value) -> Option<Self> {
                value.as_str().map(Self::from)
            }

            fn write(&self) -> serde_json::Value {
                serde_json::Value::String(self.as_str().to_owned())
            }
        }

        $crate::model::shape::serde_by_shape!($name);

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::schema::word(Self::WORDS, Self::ABOUT)
            }
        }
    };
}

pub(crate) use words;
