"""Short titles of the refusals of ledger, settlement and payouts; see `problem_titles`."""

# fmt: off
MONEY_ROWS = {
    "unknown_hold": (
        "There is no such hold", "Ce blocage n’existe pas",
        "لا يوجد هذا الحجز", "ⵓⵔ ⵉⵍⵍⵉ ⵓⵙⵃⴰⵙⴰ ⴰⴷ",
    ),
    "unknown_share": (
        "No sale has such a parcel", "Aucune vente n’a ce colis",
        "لا يوجد بيع بهذا الطرد", "ⵓⵔ ⵜⵍⵍⵉ ⵜⵣⵏⵣⵉ ⵉⵍⴰⵏ ⴰⴽⵓⵍⵉ ⴰⴷ",
    ),
    "already_released": (
        "The money is released already", "L’argent est déjà libéré",
        "سبق تحرير المبلغ", "ⵉⵜⵜⵓⵙⵔⵙ ⵓⵇⴰⵔⵉⴷ ⵢⴰⴷ",
    ),
    "hold_on_one": (
        "Name a parcel or an artisan", "Nommez un colis ou un artisan",
        "حدد طردا أو صانعا", "ⴱⴷⵔ ⴰⴽⵓⵍⵉ ⵏⵖ ⴰⵏⴰⵥⵓⵕ",
    ),
    "more_than_owed": (
        "So much is not owed", "La dette est moindre",
        "الدين أقل من ذلك", "ⵉⴷⵔⵓⵙ ⵓⵎⵔⵡⴰⵙ ⵖⴼ ⵓⵢⴰ",
    ),
    "unknown_write_off": (
        "There is no such write-off", "Cet abandon de créance n’existe pas",
        "لا يوجد هذا الشطب", "ⵓⵔ ⵉⵍⵍⵉ ⵓⵙⴼⴹ ⴰⴷ",
    ),
    "another_operator": (
        "Another operator has to confirm", "Un autre opérateur doit confirmer",
        "يجب أن يؤكد مشغل آخر", "ⵉⵇⵏⵏⵏ ⴰⴷ ⵉⵙⵙⵏⵜⵎ ⵓⵎⵙⵙⵓⵔⵙ ⵢⴰⴹⵏ",
    ),
    "unknown_account": (
        "There is no such account", "Ce compte n’existe pas",
        "لا يوجد هذا الحساب", "ⵓⵔ ⵉⵍⵍⵉ ⵓⵎⵉⴹⴰⵏ ⴰⴷ",
    ),
    "insufficient_funds": (
        "The balance is too low", "Le solde est insuffisant",
        "الرصيد غير كاف", "ⵉⴷⵔⵓⵙ ⵓⴳⵔⵔⵓⵎ",
    ),
    "entry_mismatch": (
        "The entry stands with another content", "L’écriture existe avec un autre contenu",
        "القيد موجود بمحتوى آخر", "ⵉⵍⵍⴰ ⵓⵙⴽⵛⵎ ⵙ ⵓⵎⴰⵢⵏⵓ ⵢⴰⴹⵏ",
    ),
    "companion_refused": (
        "This has changed meanwhile", "Cela a changé entre-temps",
        "تغير هذا في هذه الأثناء", "ⵉⵎⵎⵓⵜⵜⵉ ⵓⵢⴰ ⴳ ⵡⴰⴽⵓⴷ ⴰⴷ",
    ),
    "shares_do_not_add_up": (
        "The shares are not the amount", "Les parts ne font pas le montant",
        "الحصص لا تساوي المبلغ", "ⵜⵉⵙⵖⴰⵔ ⵓⵔ ⴳⵉⵏⵜ ⴰⵜⵉⴳ",
    ),
    "portions_do_not_fit": (
        "More than is left of it", "Plus que ce qu’il en reste",
        "أكثر مما تبقى", "ⵓⴳⴳⴰⵔ ⵏ ⵎⴰⵢⴷ ⵉⵇⵇⵉⵎⵏ",
    ),
    "reversal_contradicted": (
        "It has ended the other way", "Cela s’est terminé autrement",
        "انتهى الأمر على نحو آخر", "ⵉⵙⵎⴷ ⵓⵢⴰ ⵙ ⵜⴰⵍⵖⴰ ⵢⴰⴹⵏ",
    ),
    "unknown_currency": (
        "This currency is not settled", "Cette devise n’est pas réglée",
        "هذه العملة غير مقبولة", "ⵓⵔ ⵜⵜⵓⵇⴱⴰⵍ ⵜⴰⵎⵎⵓⵔⵜ ⴰⴷ ⵏ ⵉⴷⵔⵉⵎⵏ",
    ),
    "bank_file_unreadable": (
        "The bank’s file cannot be read", "Le fichier de la banque est illisible",
        "لا يمكن قراءة ملف البنك", "ⵓⵔ ⵉⵜⵜⵓⵖⵔⵉ ⵓⴼⴰⵢⵍⵓ ⵏ ⵍⴱⴰⵏⴽⴰ",
    ),
    "unknown_bank_file": (
        "There is no such bank file", "Ce fichier de la banque n’existe pas",
        "لا يوجد ملف البنك هذا", "ⵓⵔ ⵉⵍⵍⵉ ⵓⴼⴰⵢⵍⵓ ⴰⴷ ⵏ ⵍⴱⴰⵏⴽⴰ",
    ),
    "bank_file_too_long": (
        "The bank’s file has too many lines", "Le fichier de la banque a trop de lignes",
        "ملف البنك يحتوي على أسطر كثيرة جدا", "ⵉⴳⴳⵓⵜ ⵓⴼⴰⵢⵍⵓ ⵏ ⵍⴱⴰⵏⴽⴰ ⵙ ⵉⵣⵔⵉⵔⵉⴳⵏ",
    ),
    "file_too_long": (
        "The file has too many lines", "Le fichier a trop de lignes",
        "الملف يحتوي على أسطر كثيرة جدا", "ⵉⴳⴳⵓⵜ ⵓⴼⴰⵢⵍⵓ ⵙ ⵉⵣⵔⵉⵔⵉⴳⵏ",
    ),
    "file_unreadable": (
        "The file cannot be read", "Le fichier est illisible",
        "لا يمكن قراءة الملف", "ⵓⵔ ⵉⵜⵜⵓⵖⵔⵉ ⵓⴼⴰⵢⵍⵓ",
    ),
    "unknown_reconciliation": (
        "There is no such reconciliation", "Ce rapprochement n’existe pas",
        "لا توجد هذه المطابقة", "ⵓⵔ ⵉⵍⵍⵉ ⵓⵎⵙⴰⵙⴰ ⴰⴷ",
    ),
    "unknown_break": (
        "There is no such break", "Cet écart n’existe pas",
        "لا يوجد هذا الفرق", "ⵓⵔ ⵉⵍⵍⵉ ⵓⵎⵢⴰⵏⴰⵡ ⴰⴷ",
    ),
    "break_resolved": (
        "The break was resolved in another way", "L’écart a été réglé autrement",
        "تمت تسوية الفرق بطريقة أخرى", "ⵉⴼⵔⴰ ⵓⵎⵢⴰⵏⴰⵡ ⵙ ⵜⴰⵍⵖⴰ ⵢⴰⴹⵏ",
    ),
    "resolution_not_allowed": (
        "This break is not resolved like that", "Cet écart ne se règle pas ainsi",
        "لا يسوى هذا الفرق بهذه الطريقة", "ⵓⵔ ⵉⴼⵔⵔⵓ ⵓⵎⵢⴰⵏⴰⵡ ⴰⴷ ⵙ ⵜⴰⵍⵖⴰ ⴰⴷ",
    ),
    "write_off_too_large": (
        "More than may be written off", "Plus que ce qui peut être abandonné",
        "أكثر مما يمكن التخلي عنه", "ⵓⴳⴳⴰⵔ ⵏ ⵎⴰⵢⴷ ⵉⵣⵎⵔⵏ ⴰⴷ ⵉⵜⵜⵓⴰⴵ",
    ),
    "event_missing": (
        "Name the event that cured it", "Indiquez l’événement qui l’a réglé",
        "حدد الحدث الذي سوّاه", "ⵙⵙⵉⵎⵙⵙ ⵜⴰⵎⵙⵙⴰⵔⵜ ⵏⵏⴰ ⵜ ⵉⴼⵔⴰⵏ",
    ),
    "unknown_batch": (
        "There is no such batch", "Ce lot n’existe pas",
        "لا توجد هذه الدفعة", "ⵓⵔ ⵜⵍⵍⵉ ⵜⵔⵓⴱⴱⴰ ⴰⴷ",
    ),
    "unknown_payout": (
        "There is no such payout", "Ce versement n’existe pas",
        "لا يوجد هذا التحويل", "ⵓⵔ ⵉⵍⵍⵉ ⵓⴼⵔⵓ ⴰⴷ",
    ),
    "illegal_batch_move": (
        "The batch’s status forbids this", "L’état du lot ne le permet pas",
        "حالة الدفعة لا تسمح بهذا", "ⴰⴷⴷⴰⴷ ⵏ ⵜⵔⵓⴱⴱⴰ ⵓⵔ ⵉⵜⵜⴰⴷⵊ ⴰⵢⴰ",
    ),
    "batch_not_complete": (
        "The batch is still being drafted", "Le lot est en préparation",
        "الدفعة قيد الإعداد", "ⵜⵔⵓⴱⴱⴰ ⵙⵓⵍ ⵜⵜⵓⵙⵓⵊⵊⴰⴷ",
    ),
    "four_eyes_required": (
        "Another operator has to approve", "Un autre opérateur doit approuver",
        "يجب أن يوافق مشغل آخر", "ⵉⵇⵏⴻⵏ ⴰⴷ ⵉⵇⴱⵍ ⵓⵎⵙⵡⵓⵔⵉ ⵢⴰⴹⵏ",
    ),
    "batch_not_approved": (
        "The batch is not approved", "Le lot n’est pas approuvé",
        "لم تتم الموافقة على الدفعة", "ⵓⵔ ⵜⵜⵓⵇⴱⴰⵍ ⵜⵔⵓⴱⴱⴰ",
    ),
    "payout_file_taken": (
        "A file of the batch was handed out", "Un fichier du lot a été remis",
        "سُلّم ملف من هذه الدفعة", "ⵉⵜⵜⵓⴼⴽⴰ ⵓⴼⴰⵢⵍⵓ ⵙⴳ ⵜⵔⵓⴱⴱⴰ",
    ),
    "not_payable_now": (
        "You cannot be paid now", "Vous ne pouvez pas être payé maintenant",
        "لا يمكن الدفع لكم الآن", "ⵓⵔ ⵉⵣⵎⵉⵔ ⴰⴷ ⴰⴽ ⵉⵜⵜⵓⴼⵔⵓ ⵖⵉⵍⴰⴷ",
    ),
    "payout_requested_today": (
        "You have asked for a payout today", "Vous avez déjà demandé un virement aujourd’hui",
        "لقد طلبتم تحويلا اليوم", "ⵜⵙⵓⵜⵔⴷ ⵢⴰⴷ ⵓⴼⵔⵓ ⴰⵙⵙⴰ",
    ),
    "no_such_rail": (
        "The batch pays nobody this way", "Le lot ne paie personne ainsi",
        "لا تدفع الدفعة بهذه الطريقة", "ⵓⵔ ⵜⴼⵔⵓ ⵜⵔⵓⴱⴱⴰ ⵙ ⵓⴱⵔⵉⴷ ⴰⴷ",
    ),
    "payout_not_submitted": (
        "The payout was not sent out yet", "Le versement n’est pas encore parti",
        "لم يرسل التحويل بعد", "ⵓⵔ ⵜⴰ ⵉⵜⵜⵓⵣⵏ ⵓⴼⵔⵓ",
    ),
}
# fmt: on
