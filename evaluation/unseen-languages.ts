/** Everyday prompts in languages the default model was never trained on, written for this purpose. */

export const UNSEEN_LANGUAGES: Readonly<Record<string, readonly string[]>> = {
  Finnish: [
    'Miten keitän hyvää kahvia?', 'Kerro minulle Suomen historiasta.', 'Kirjoita runo syksystä.',
    'Mikä on Ranskan pääkaupunki?', 'Auta minua kirjoittamaan hakemus.', 'Kuinka monta asukasta Helsingissä on?',
  ],
  Turkish: [
    'Bana bir şiir yazar mısın?', 'Yarın hava nasıl olacak?', 'İstanbulda gezilecek yerler neresi?',
    'Bu cümleyi düzeltir misin?', 'Mercimek çorbası nasıl yapılır?', 'Türkiyenin başkenti neresidir?',
  ],
  Greek: [
    'Πώς φτιάχνω μουσακά;', 'Γράψε ένα ποίημα για τη θάλασσα.', 'Ποια είναι η πρωτεύουσα της Ιταλίας;',
    'Τι καιρό θα κάνει αύριο;', 'Βοήθησέ με με τα μαθηματικά.', 'Πες μου μια ιστορία.',
  ],
  Arabic: [
    'كيف أطبخ الأرز؟', 'اكتب قصيدة عن الخريف', 'ما هي عاصمة مصر؟', 'كيف حالك اليوم؟',
    'ساعدني في كتابة رسالة', 'ما هو الطقس غدا؟',
  ],
  Thai: ['วันนี้อากาศเป็นอย่างไร', 'ช่วยเขียนกลอนเกี่ยวกับทะเล', 'วิธีทำต้มยำกุ้ง', 'เมืองหลวงของฝรั่งเศสคืออะไร', 'สวัสดีครับ', 'แนะนำหนังสือหน่อย'],
  Hindi: ['मौसम कैसा है?', 'शरद ऋतु पर एक कविता लिखो', 'दाल कैसे बनाते हैं?', 'भारत की राजधानी क्या है?', 'मुझे एक कहानी सुनाओ', 'मेरी मदद करो'],
  Korean: ['오늘 날씨가 어때요?', '가을에 대한 시를 써 주세요', '김치찌개 만드는 법', '프랑스의 수도는 어디인가요?', '안녕하세요', '이력서를 도와주세요'],
};
