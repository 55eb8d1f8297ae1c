"""The harmful categories of BeaverTails, and the groups of them that the RepNoise paper leaves out in its Table 5.

Source: `BT_CATEGORIES` in github.com/domenicrosati/representation-noising, `representation_noising/datasets.py`. There
commas are part of a name; here they are slashes, since a comma separates names on the command line.
"""

from collections.abc import Mapping, Sequence
from typing import Final

_VIOLENCE: Final = "violence/aiding_and_abetting/incitement"
_HATE: Final = "hate_speech/offensive_language"
_DISCRIMINATION: Final = "discrimination/stereotype/injustice"
_MISINFORMATION: Final = "misinformation_regarding_ethics/laws_and_safety"
_PRIVACY: Final = "privacy_violation"
_FINANCIAL: Final = "financial_crime/property_crime/theft"
_DRUGS: Final = "drug_abuse/weapons/banned_substance"
_UNETHICAL: Final = "non_violent_unethical_behavior"
_TERRORISM: Final = "terrorism/organized_crime"
_SEXUAL: Final = "sexually_explicit/adult_content"
_SELF_HARM: Final = "self_harm"

GROUPS: Final[Mapping[str, Sequence[str]]] = {
    "half": (_VIOLENCE, _HATE, _DISCRIMINATION, _MISINFORMATION, _PRIVACY),
    "other_half": (_FINANCIAL, _DRUGS, _TERRORISM, _SEXUAL),
    "violence": (_VIOLENCE,),
    "toxic": (_HATE, _DISCRIMINATION),
    "privacy_misinformation": (_MISINFORMATION, _PRIVACY),
    "crime_unethical": (_FINANCIAL, _DRUGS, _UNETHICAL, _TERRORISM),
    "sexually_explicit": (_SEXUAL,),
    "self_harm": (_SELF_HARM,),
    "paper": (
        _VIOLENCE,
        _HATE,
        _DISCRIMINATION,
        _MISINFORMATION,
        _PRIVACY,
        _FINANCIAL,
        _DRUGS,
        _UNETHICAL,
        _TERRORISM,
        _SEXUAL,
        _SELF_HARM,
    ),
}
"""`paper` is all of theirs together, which is what the paper's code asks about: not animal_abuse, child_abuse and
controversial_topics/politics."""
